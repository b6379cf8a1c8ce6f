from django.db import migrations, models

STATUSES = [
    ("waiting", "Waiting"),
    ("completed", "Completed"),
    ("cancelled", "Cancelled"),
    ("failed", "Failed"),
]


class Migration(migrations.Migration):
    dependencies = [("butler", "0017_standard_names")]

    operations = [
        migrations.RunSQL(
            "UPDATE butler_run SET status = 'completed' WHERE status = 'done'",
            "UPDATE butler_run SET status = 'done' WHERE status = 'completed'",
        ),
        migrations.AlterField(
            "run", "status", models.CharField(max_length=16, choices=STATUSES, default="waiting")
        ),
    ]
