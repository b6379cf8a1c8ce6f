"""A function for the addresses that a till or a desk noted with an order or a request."""

from django.db import migrations

# For each order and request that changed since then, and each kind of which the live record has no
# address: the address in the latest event about it, if that address leads to no record and never
# had another holder. So it receives no message of another customer.
NOTED_ADDRESSES = """
CREATE FUNCTION customers_noted_addresses(live_id uuid, since timestamptz)
RETURNS TABLE (about text, kind text, value text)
LANGUAGE sql STABLE AS $$
    WITH relation AS (
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
    ), missing AS (
        SELECT needed.kind
          FROM unnest(ARRAY['email', 'phone']) AS needed (kind)
         WHERE NOT EXISTS (
               SELECT
                 FROM customers_identifier AS own
                WHERE own.customer_id = live_id
                  AND own.kind = needed.kind
                  AND own.evidence = 2
                  AND NOT own.is_shared)
    ), latest AS (
        SELECT DISTINCT ON (event.about, address.kind)
               event.about, address.kind, address.value, address.id, address.customer_id,
               address.is_shared OR address.is_suspect AS is_unclear
          FROM relation
          JOIN customers_event AS event
            ON event.customer_id = ANY (live_id || ARRAY (
                   SELECT merged.id
                     FROM customers_customer AS merged
                    WHERE merged.canonical_id = live_id))
           AND event.about = relation.about
           AND event.about <> ''
           AND event.evidence = 2
          JOIN customers_identifier AS address ON address.id = ANY (event.identifier_ids)
          JOIN missing ON missing.kind = address.kind
         WHERE address.evidence = 2
           AND NOT EXISTS (
               SELECT
                 FROM customers_refiledevent AS refiled
                WHERE refiled.customer_id = event.customer_id
                  AND refiled.version = event.version)
         ORDER BY event.about, address.kind, event.occurred_at DESC,
                  customers_arrival_number(event.arrival, event.received_at, event.version) DESC,
                  address.id
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
