-- Read the events that placed these orders. They are on the logs of the customers for whom an order
-- with the number was placed, or to whom it moved.
--
-- ids  bigint[]  identifiers of orders
-- returns (order id, identifiers of the event, its time, its properties as JSON text)

WITH placed AS MATERIALIZED (
    SELECT id, substring(value, strpos(value, '/') + 1) AS number
      FROM customers_identifier
     WHERE id = ANY (%(ids)s::bigint[])
), record AS MATERIALIZED (
    SELECT DISTINCT placed.number, person.record_id
      FROM placed
      JOIN customers_link AS link
        ON placed.id IN (link.first_id, link.second_id) AND link.kind IN ('placed', 'moved')
      JOIN customers_identifier AS person ON person.id = link.first_id + link.second_id - placed.id
     WHERE person.record_id IS NOT NULL
)
SELECT placed.id, event.identifier_ids, event.occurred_at,
       coalesce(event.body -> 'properties', event.body -> 'data', '{}')::text
  FROM record
 CROSS JOIN LATERAL customers_filed_events(record.record_id) AS event
  JOIN placed ON placed.number = record.number AND placed.id = ANY (event.identifier_ids)
 WHERE event.about = 'order:' || record.number
   AND event.name = 'Order Completed'
   AND event.evidence = 2
