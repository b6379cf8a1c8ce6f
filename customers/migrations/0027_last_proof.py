"""The time of the last proof of a link, which ends an earlier separation."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0026_numbering_questions"),
    ]

    operations = [
        migrations.AddField(
            model_name="link",
            name="last_proved_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
