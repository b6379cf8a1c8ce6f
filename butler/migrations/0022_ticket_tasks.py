"""Tasks about tickets that were admitted twice."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("butler", "0021_address_tasks"),
    ]

    operations = [
        migrations.AlterField(
            model_name="stafftask",
            name="kind",
            field=models.CharField(
                choices=[
                    ("phone", "Phone"),
                    ("reply", "Reply"),
                    ("uncertain", "Uncertain"),
                    ("address", "Address"),
                    ("ticket", "Ticket"),
                ],
                max_length=16,
            ),
        ),
    ]
