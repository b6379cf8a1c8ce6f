-- Find the events that name one of several customers for whom a source placed orders with one number, but
-- that are filed on the number, because they arrived before the second order.
--
-- ids  bigint[]  identifiers of orders
-- returns (log, version, the identifier to file on)

SELECT DISTINCT ON (event.customer_id, event.version) event.customer_id, event.version, person.id
  FROM customers_identifier AS numbered
 CROSS JOIN LATERAL customers_filed_events(numbered.record_id) AS event
 CROSS JOIN LATERAL unnest(event.identifier_ids) WITH ORDINALITY AS named (id, place)
  JOIN customers_identifier AS person ON person.id = named.id AND person.kind <> 'order'
 WHERE numbered.id = ANY (%(ids)s::bigint[])
   AND numbered.is_shared
   AND numbered.record_id IS NOT NULL
   AND event.about = 'order:' || substring(numbered.value, strpos(numbered.value, '/') + 1)
   AND event.kind NOT IN ('identity', 'control', 'message')
   AND numbered.id = ANY (event.identifier_ids)
   AND person.customer_id IN (
       SELECT customer.customer_id
         FROM customers_link AS link
         JOIN customers_identifier AS customer
           ON customer.id = link.first_id + link.second_id - numbered.id
        WHERE numbered.id IN (link.first_id, link.second_id) AND link.kind = 'placed')
 ORDER BY event.customer_id, event.version, named.place
