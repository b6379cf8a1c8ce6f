-- Read the events that placed these orders.
--
-- ids  bigint[]  identifiers of orders
-- returns (order id, identifiers of the event, its time, its properties as JSON text)

SELECT DISTINCT placed.id, event.identifier_ids, event.occurred_at,
       coalesce(event.body -> 'properties', event.body -> 'data', '{}')::text
  FROM customers_identifier AS placed
  JOIN customers_link AS link
    ON placed.id IN (link.first_id, link.second_id) AND link.kind = 'placed'
  JOIN customers_identifier AS person ON person.id = link.first_id + link.second_id - placed.id
 CROSS JOIN LATERAL customers_filed_events(person.record_id) AS event
 WHERE placed.id = ANY (%(ids)s::bigint[])
   AND event.about = 'order:' || substring(placed.value, strpos(placed.value, '/') + 1)
   AND event.name = 'Order Completed'
   AND event.evidence = 2
   AND placed.id = ANY (event.identifier_ids)
