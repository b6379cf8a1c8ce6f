-- Read all events about these subjects that are filed on the records that now belong to the
-- customer (customers_filed_events, migration 0022). Events of a record that was separated again
-- are left out, and events that were filed on another record later.
--
-- customers, abouts  uuid[], text[]  each pair is one subject; customers are live records

WITH subject AS MATERIALIZED (
    SELECT *
      FROM unnest(%(customers)s::uuid[], %(abouts)s::text[]) AS pair (customer_id, about)
), record AS MATERIALIZED (
    SELECT customer.id, COALESCE(customer.canonical_id, customer.id) AS customer_id
      FROM customers_customer AS customer
     WHERE customer.id = ANY (%(customers)s::uuid[])
        OR customer.canonical_id = ANY (%(customers)s::uuid[])
), place AS MATERIALIZED (
    SELECT *
      FROM customers_order_places(ARRAY(
           SELECT id
             FROM customers_identifier
            WHERE kind = 'order' AND is_shared
              AND substring(value, strpos(value, '/') + 1)
                  = ANY (ARRAY(SELECT substring(about, 7) FROM subject WHERE starts_with(about, 'order:')))))
)
SELECT subject.customer_id, event.about, event.name, event.occurred_at,
       customers_arrival_number(event.arrival, event.received_at, event.version),
       encode(uuid_send(event.message_key), 'hex'), event.evidence,
       source.channel, event.actor, event.version,
       COALESCE(event.body -> 'properties', event.body -> 'data', '{}'),
       source.id, source.space_id, source.name, source.is_shared,
       CASE WHEN event.name = 'Order Completed' AND event.evidence = 2
            THEN COALESCE((SELECT min(place.place)
                             FROM place
                            WHERE place.order_id = ANY (event.identifier_ids)
                              AND place.source_id = source.id
                              AND place.customer_id = subject.customer_id), 1)
            ELSE 1 END
  FROM subject
  JOIN record ON record.customer_id = subject.customer_id
 CROSS JOIN LATERAL (
       SELECT *
         FROM customers_filed_events(record.id) AS filed
        WHERE filed.about = subject.about
          AND filed.about <> ''
       -- Without OFFSET, Postgres would read all events of the record, and then compare `about`.
       OFFSET 0) AS event
  JOIN customers_source AS source ON source.id = event.source_id
