"""A function for the addresses that a till or a desk noted with an order or a request."""

from django.db import migrations

# For each order and request that changed since then, and each kind of which the live record has no
# address: the address in the latest event about it, if that address leads to no record and never
# had another holder. So it receives no message of another customer.
#
# Events of other sources with the number of an order, and its payments, scans, refunds and
# cancellations, may name somebody else, so their addresses receive no messages about the order.
# Events that belong to the record of another customer again do not count either.
NOTED_ADDRESSES = """
CREATE FUNCTION customers_noted_addresses(live_id uuid, since timestamptz)
RETURNS TABLE (about text, kind text, value text)
LANGUAGE sql STABLE AS $$
    WITH relation AS MATERIALIZED (
        SELECT 'order:' || number AS about
          FROM customers_order
         WHERE customer_id = live_id
           AND evidence = 2
           AND (changed_at >= since OR visit_date >= since::date)
         UNION ALL
        SELECT 'request:' || reference
          FROM customers_request
         WHERE customer_id = live_id
           AND coalesce(closed_at, opened_at) >= since
    ), missing AS MATERIALIZED (
        SELECT needed.kind
          FROM unnest(ARRAY['email', 'phone']) AS needed (kind)
         WHERE NOT EXISTS (
               SELECT
                 FROM customers_identifier AS own
                WHERE own.customer_id = live_id
                  AND own.kind = needed.kind
                  AND own.evidence = 2
                  AND NOT own.is_shared)
    ), record AS (
        SELECT id
          FROM customers_customer
         WHERE (id = live_id OR canonical_id = live_id)
           AND EXISTS (SELECT FROM missing)
    ), noted AS MATERIALIZED (
        SELECT event.about, event.name, event.source_id, event.identifier_ids, event.occurred_at,
               customers_arrival_number(event.arrival, event.received_at, event.version) AS arrival
          FROM relation
         CROSS JOIN record
         CROSS JOIN LATERAL (
               SELECT *
                 FROM customers_filed_events(record.id) AS filed
                WHERE filed.about = relation.about
                  AND filed.about <> ''
                  AND filed.evidence = 2
               -- Without OFFSET, Postgres would read all events of the record first.
               OFFSET 0) AS event
    ), latest AS (
        SELECT DISTINCT ON (noted.about, address.kind)
               noted.about, address.kind, address.value, address.id, address.customer_id,
               address.is_shared OR address.is_suspect AS is_unclear
          FROM noted
          JOIN customers_identifier AS address ON address.id = ANY (noted.identifier_ids)
          JOIN missing ON missing.kind = address.kind
         WHERE address.evidence = 2
           AND (noted.about LIKE 'request:%'
                OR (noted.name IN ('Order Completed', 'Order Updated', 'Order Amended')
                    AND EXISTS (SELECT
                                  FROM noted AS placed
                                 WHERE placed.about = noted.about
                                   AND placed.name = 'Order Completed'
                                   AND placed.source_id = noted.source_id)))
         ORDER BY noted.about, address.kind, noted.occurred_at DESC, noted.arrival DESC, address.id
    )
    SELECT latest.about, latest.kind, latest.value
      FROM latest
     WHERE latest.customer_id IS NULL
       AND NOT latest.is_unclear
       AND NOT EXISTS (
           SELECT
             FROM customers_identifier AS holder
            WHERE holder.kind = latest.kind
              AND holder.value = latest.value
              AND holder.evidence = 2
              AND holder.id <> latest.id)
$$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0027_last_proof"),
    ]

    operations = [
        migrations.RunSQL(
            NOTED_ADDRESSES, "DROP FUNCTION customers_noted_addresses(uuid, timestamptz);"
        ),
    ]
