"""The flag of placeholders, which was "suspect" before, and the count of records that were split."""

from importlib import import_module

from django.db import migrations

_NOTED_ADDRESSES = import_module("customers.migrations.0028_noted_addresses").NOTED_ADDRESSES
_REPLACED = _NOTED_ADDRESSES.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0036_address_periods"),
    ]

    operations = [
        migrations.RunSQL(migrations.RunSQL.noop, _REPLACED),
        migrations.RenameField("identifier", "is_suspect", "is_placeholder"),
        migrations.RunSQL(
            _REPLACED.replace("is_suspect", "is_placeholder"), migrations.RunSQL.noop
        ),
        migrations.RenameField("sourcemove", "parted_records", "split_records"),
    ]
