import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

_LOGIN = {
    "null": True,
    "on_delete": django.db.models.deletion.SET_NULL,
    "related_name": "+",
    "to": settings.AUTH_USER_MODEL,
}


class Migration(migrations.Migration):
    dependencies = [("customers", "0046_grouping_versions")]

    operations = [
        migrations.AddField(
            "addresschange", "origin", models.CharField(blank=True, db_default="", max_length=300)
        ),
        migrations.AddField("addresschange", "proposer", models.ForeignKey(**_LOGIN)),
        migrations.AddField("addresschange", "approver", models.ForeignKey(**_LOGIN)),
        migrations.AddField(
            "addresschange",
            "notified_ids",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(), db_default=[], default=list
            ),
        ),
        migrations.AlterField(
            "addresschange",
            "state",
            models.CharField(
                choices=[
                    ("proposed", "Proposed"),
                    ("pending", "Pending"),
                    ("frozen", "Frozen"),
                    ("applied", "Applied"),
                    ("cancelled", "Cancelled"),
                ],
                default="pending",
                max_length=9,
            ),
        ),
        migrations.RemoveConstraint("addresschange", "address_change_state_is_known"),
        migrations.AddConstraint(
            "addresschange",
            models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["proposed", "pending", "frozen", "applied", "cancelled"])
                ),
                name="address_change_state_is_known",
            ),
        ),
        migrations.RemoveIndex("addresschange", "address_change_open"),
        migrations.AddIndex(
            "addresschange",
            django.contrib.postgres.indexes.GinIndex(
                condition=models.Q(("state__in", ["proposed", "pending", "frozen"])),
                fields=["holder_ids"],
                name="address_change_open",
            ),
        ),
    ]
