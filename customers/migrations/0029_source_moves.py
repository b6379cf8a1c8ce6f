"""Sources that moved to another space, and how far their customers are grouped again."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0028_noted_addresses"),
    ]

    operations = [
        migrations.CreateModel(
            name="SourceMove",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("last_grouped", models.BigIntegerField(default=0)),
                ("last_concerned", models.BigIntegerField(blank=True, null=True)),
                ("grouped_numbers", models.BigIntegerField(default=0)),
                ("parted_records", models.BigIntegerField(default=0)),
                ("joined_records", models.BigIntegerField(default=0)),
                ("retry_at", models.DateTimeField(blank=True, null=True)),
                ("failure", models.CharField(blank=True, max_length=100)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.source",
                    ),
                ),
                (
                    "space",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.space",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("finished_at__isnull", True)),
                        fields=["id"],
                        name="source_move_unfinished",
                    )
                ],
            },
        ),
    ]
