-- Read all statements about traits of whole records (see read_projected_events).
--
-- ids  uuid[]  live records

WITH record AS MATERIALIZED (
    SELECT customer.id, COALESCE(customer.canonical_id, customer.id) AS customer_id
      FROM customers_customer AS customer
     WHERE (customer.id = ANY (%(ids)s::uuid[]) AND customer.canonical_id IS NULL)
        OR customer.canonical_id = ANY (%(ids)s::uuid[])
), statement AS (
    SELECT record.customer_id AS record_of, event.*
      FROM record
      JOIN customers_event AS event
        ON event.customer_id = record.id AND event.origin_id IS NULL
     WHERE event.kind = 'identify'
     UNION ALL
    SELECT record.customer_id, event.*
      FROM record
      JOIN customers_event AS event ON event.origin_id = record.id
     WHERE event.kind = 'identify'
)
SELECT statement.record_of, trait.key, trait.value, statement.evidence, statement.source_id,
       statement.occurred_at,
       customers_arrival_number(statement.arrival, statement.received_at, statement.version),
       encode(uuid_send(statement.message_key), 'hex')
  FROM statement,
       jsonb_each(CASE WHEN jsonb_typeof(statement.body -> 'traits') = 'object'
                       THEN statement.body -> 'traits' ELSE '{}' END) AS trait
