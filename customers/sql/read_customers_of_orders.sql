-- Read the live records of the customers for whom these orders were placed.
--
-- ids  bigint[]  identifiers of orders
-- returns (live record, subject of the events about the order)

SELECT DISTINCT person.customer_id,
       'order:' || substring(placed.value, strpos(placed.value, '/') + 1)
  FROM customers_identifier AS placed
  JOIN customers_link AS link
    ON placed.id IN (link.first_id, link.second_id) AND link.kind = 'placed'
  JOIN customers_identifier AS person ON person.id = link.first_id + link.second_id - placed.id
 WHERE placed.id = ANY (%(ids)s::bigint[])
   AND person.customer_id IS NOT NULL
   AND person.kind <> 'order'
