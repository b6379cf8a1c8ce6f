-- Read all statements about traits of whole records (see read_projected_events).
--
-- The traits of an identify are in its context if it has none itself (channels/ingest/segment.py).
--
-- ids  uuid[]  live records

WITH record AS MATERIALIZED (
    SELECT customer.id, COALESCE(customer.canonical_id, customer.id) AS customer_id
      FROM customers_customer AS customer
     WHERE (customer.id = ANY (%(ids)s::uuid[]) AND customer.canonical_id IS NULL)
        OR customer.canonical_id = ANY (%(ids)s::uuid[])
)
SELECT record.customer_id, trait.key, trait.value, event.evidence, event.source_id,
       event.occurred_at,
       customers_arrival_number(event.arrival, event.received_at, event.version),
       encode(uuid_send(event.message_key), 'hex')
  FROM record
 CROSS JOIN LATERAL customers_filed_events(record.id) AS event,
       jsonb_each(CASE WHEN jsonb_typeof(event.body -> 'traits') = 'object'
                        AND event.body -> 'traits' <> '{}'
                       THEN event.body -> 'traits'
                       WHEN jsonb_typeof(event.body #> '{context,traits}') = 'object'
                       THEN event.body #> '{context,traits}'
                       ELSE '{}' END) AS trait
 WHERE event.kind = 'identify'
