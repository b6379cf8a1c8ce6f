-- Find those of some order numbers with which a source of the space placed an order.
--
-- numbers   text[]
-- space_id  bigint

SELECT DISTINCT substring(placed.value, strpos(placed.value, '/') + 1)
  FROM customers_identifier AS placed
  JOIN customers_source AS source ON source.id = split_part(placed.value, '/', 1)::bigint
 WHERE placed.kind = 'order' AND placed.evidence = 2
   AND substring(placed.value, strpos(placed.value, '/') + 1) = ANY (%(numbers)s::text[])
   AND source.space_id = %(space_id)s
   AND EXISTS (SELECT FROM customers_link AS link
                WHERE placed.id IN (link.first_id, link.second_id) AND link.kind = 'placed')
