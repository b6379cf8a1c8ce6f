-- Read all events about all subjects of whole records (see read_projected_events).
--
-- ids  uuid[]  live records

WITH record AS MATERIALIZED (
    SELECT customer.id, COALESCE(customer.canonical_id, customer.id) AS customer_id
      FROM customers_customer AS customer
     WHERE (customer.id = ANY (%(ids)s::uuid[]) AND customer.canonical_id IS NULL)
        OR customer.canonical_id = ANY (%(ids)s::uuid[])
), projected AS (
    SELECT record.customer_id AS record_of, event.*
      FROM record
      JOIN customers_event AS event
        ON event.customer_id = record.id AND event.origin_id IS NULL
     WHERE event.about <> ''
     UNION ALL
    SELECT record.customer_id, event.*
      FROM record
      JOIN customers_event AS event ON event.origin_id = record.id
     WHERE event.about <> ''
)
SELECT projected.record_of, projected.about, projected.name, projected.occurred_at,
       customers_arrival_number(projected.arrival, projected.received_at, projected.version),
       encode(uuid_send(projected.message_key), 'hex'), projected.evidence,
       source.channel, projected.actor, projected.version,
       COALESCE(projected.body -> 'properties', projected.body -> 'data', '{}')
  FROM projected
  JOIN customers_source AS source ON source.id = projected.source_id
