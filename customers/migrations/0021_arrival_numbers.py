"""Adds arrival numbers to events and traits, and a function that computes those of older events.

No row is rewritten: the new columns are null in all existing rows.
"""

from django.db import migrations, models

# The arrival number of an event. `arrival` is the column of its row; it is null if the event was
# stored before this migration. The number is then computed as by customers.events.arrival, with
# the version of the event as its place. STABLE, so that Postgres inlines the function.
ADD_FUNCTION = """
CREATE FUNCTION customers_arrival_number(
    arrival bigint, received_at timestamptz, version bigint
) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(
        arrival,
        (extract(epoch FROM received_at) * 1000000)::bigint * 2048 + least(version, 2047)
    )
$$
"""
REMOVE_FUNCTION = "DROP FUNCTION customers_arrival_number(bigint, timestamptz, bigint)"


class Migration(migrations.Migration):
    dependencies = [("customers", "0020_spaces")]

    operations = [
        migrations.AddField("event", "arrival", models.BigIntegerField(null=True)),
        migrations.AddField("trait", "arrival", models.BigIntegerField(null=True)),
        migrations.RunSQL(ADD_FUNCTION, REMOVE_FUNCTION),
    ]
