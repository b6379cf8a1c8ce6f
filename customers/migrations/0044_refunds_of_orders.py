"""Amounts with the decimal places of their currency; refunds of orders, and doubts about them.

Postgres drops the precision of a number without rewriting the table. The way back rounds amounts to
two places; `manage.py rebuild` computes them again.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0043_phone_logins")]

    operations = [
        migrations.AlterField("order", "total", models.DecimalField()),
        migrations.AddField(
            "order", "is_total_of_lines", models.BooleanField(default=False, db_default=False)
        ),
        migrations.AddField("order", "refunds", models.JSONField(default=list, db_default=[])),
        migrations.AddField("order", "doubts", models.JSONField(default=dict, db_default={})),
        migrations.AlterField(
            "order",
            "status",
            models.CharField(
                choices=[
                    ("requested", "Requested"),
                    ("placed", "Placed"),
                    ("amended", "Amended"),
                    ("partly_refunded", "Partly Refunded"),
                    ("cancelled", "Cancelled"),
                    ("refunded", "Refunded"),
                    ("declined", "Declined"),
                ],
                max_length=16,
            ),
        ),
    ]
