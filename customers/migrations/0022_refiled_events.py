import django.db.models.deletion
from django.db import migrations, models

# The events that are filed on a record: the one rule for all statements that collect the events of
# a record. An event is filed on the record of its row in customers_refiledevent, or else on
# origin_id, or else on customer_id. Each of the three parts has an index. Postgres inlines the
# function (one SELECT, STABLE, not STRICT), so it pushes a condition of the caller into each part.
FILED_EVENTS = """
CREATE FUNCTION customers_filed_events(record_id uuid) RETURNS SETOF customers_event
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
SELECT event.*
  FROM customers_event AS event
 WHERE event.customer_id = $1
   AND event.origin_id IS NULL
   AND NOT EXISTS (
       SELECT
         FROM customers_refiledevent AS refiled
        WHERE refiled.customer_id = event.customer_id AND refiled.version = event.version)
 UNION ALL
SELECT event.*
  FROM customers_event AS event
 WHERE event.origin_id = $1
   AND NOT EXISTS (
       SELECT
         FROM customers_refiledevent AS refiled
        WHERE refiled.customer_id = event.customer_id AND refiled.version = event.version)
 UNION ALL
SELECT event.*
  FROM customers_refiledevent AS refiled
  JOIN customers_event AS event
    ON event.customer_id = refiled.customer_id AND event.version = refiled.version
 WHERE refiled.record_id = $1
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0021_arrival_numbers")]

    operations = [
        migrations.CreateModel(
            name="RefiledEvent",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "customer_id",
                        "version",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("version", models.BigIntegerField()),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("actor", models.CharField(blank=True, max_length=100)),
                ("refiled_at", models.DateTimeField()),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
                (
                    "record",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="refiled_events",
                        to="customers.customer",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(FILED_EVENTS, "DROP FUNCTION customers_filed_events(uuid);"),
    ]
