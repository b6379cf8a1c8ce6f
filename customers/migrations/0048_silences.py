"""Closes the history of an address before a silence of a year, until its holder shows one more fact."""

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

_earlier = import_module("customers.migrations.0042_subjects_of_parts")

# As before, and: of a later record, a subject opens if nothing about it is older than opened_since.
_SUBJECTS = _earlier.OPENED_SUBJECTS.replace(
    "subject text DEFAULT NULL)",
    "subject text DEFAULT NULL,\n"
    "                                          later_ids uuid[] DEFAULT '{}',\n"
    "                                          opened_since timestamptz DEFAULT NULL)",
).replace(
    "record.id = ANY ($2) AS is_open,",
    "record.id = ANY ($2) OR (\n"
    "               record.id = ANY ($4)\n"
    "               AND min(event.occurred_at) OVER (PARTITION BY event.about) >= $5) AS is_open,",
)
_DROP_EARLIER = "DROP FUNCTION customers_opened_subjects(uuid, uuid[], text);"
_DROP = "DROP FUNCTION customers_opened_subjects(uuid, uuid[], text, uuid[], timestamptz);"


class Migration(migrations.Migration):
    dependencies = [("customers", "0047_staff_address_changes")]

    operations = [
        migrations.AddField(
            model_name="identifier",
            name="silent_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="HistoryOpening",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("silent_until", models.DateTimeField()),
                ("tries", models.SmallIntegerField(default=0)),
                ("approved_by", models.CharField(blank=True, max_length=100)),
                ("evidence", models.TextField(blank=True)),
                ("opened_at", models.DateTimeField(blank=True, null=True)),
                ("opened_by", models.CharField(blank=True, max_length=100)),
                (
                    "identifier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.identifier",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("identifier", "silent_until"),
                        name="history_opening_once_per_silence",
                    )
                ]
            },
        ),
        migrations.RunSQL(
            _DROP_EARLIER + _SUBJECTS,
            _DROP + _earlier.OPENED_SUBJECTS,
        ),
    ]
