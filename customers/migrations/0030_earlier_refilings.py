"""The re-filings of an event before the last one, so that an undo returns to the one before."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0029_source_moves"),
    ]

    operations = [
        migrations.AddField(
            model_name="refiledevent",
            name="earlier",
            field=models.JSONField(db_default=models.Value([], models.JSONField()), default=list),
        ),
    ]
