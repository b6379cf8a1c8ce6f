-- Read all events about all subjects of whole records (see read_projected_events).
--
-- ids  uuid[]  live records

WITH record AS MATERIALIZED (
    SELECT customer.id, COALESCE(customer.canonical_id, customer.id) AS customer_id
      FROM customers_customer AS customer
     WHERE (customer.id = ANY (%(ids)s::uuid[]) AND customer.canonical_id IS NULL)
        OR customer.canonical_id = ANY (%(ids)s::uuid[])
)
SELECT record.customer_id, event.about, event.name, event.occurred_at,
       customers_arrival_number(event.arrival, event.received_at, event.version),
       encode(uuid_send(event.message_key), 'hex'), event.evidence,
       source.channel, event.actor, event.version,
       COALESCE(event.body -> 'properties', event.body -> 'data', '{}'),
       source.id, source.space_id, source.name, source.is_shared,
       CASE WHEN event.name = 'Order Completed' AND event.evidence = 2
            THEN COALESCE((SELECT min(place.place)
                             FROM customers_order_places(event.identifier_ids) AS place
                            WHERE place.source_id = source.id
                              AND place.customer_id = record.customer_id), 1)
            ELSE 1 END
  FROM record
 CROSS JOIN LATERAL customers_filed_events(record.id) AS event
  JOIN customers_source AS source ON source.id = event.source_id
 WHERE event.about <> ''
