-- The orders that numbers mean when a source names nothing else: not those that the source
-- placed itself, and only where no other order has the number.
--
-- numbers    text[]
-- source_id  int
-- returns (number, value of the order's identifier)

WITH wanted AS MATERIALIZED (
    SELECT DISTINCT number FROM unnest(%(numbers)s::text[]) AS number
), only_order AS MATERIALIZED (
    SELECT wanted.number, (array_agg(stated.customer_id))[1] AS customer_id
      FROM wanted
      JOIN customers_order AS stated ON stated.number = wanted.number AND stated.trust = 2
     GROUP BY wanted.number
    HAVING count(*) = 1
), placed AS (
    SELECT only_order.number, identifier.value
      FROM only_order
      JOIN customers_identifier AS identifier
        ON identifier.customer_id = only_order.customer_id
       AND identifier.kind = 'order' AND identifier.trust = 2
       AND substring(identifier.value, strpos(identifier.value, '/') + 1) = only_order.number
     WHERE EXISTS (SELECT FROM customers_link
                    WHERE left_id = identifier.id AND kind = 'placed')
        OR EXISTS (SELECT FROM customers_link
                    WHERE right_id = identifier.id AND kind = 'placed')
)
SELECT number, min(value)
  FROM placed
 GROUP BY number
HAVING count(*) = 1
   AND bool_and(value <> %(source_id)s::text || '/' || number)
