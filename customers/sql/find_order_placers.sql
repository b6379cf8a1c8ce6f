-- The customers who placed orders, as the sources of the orders stated it.
--
-- ids  bigint[]  identifiers of orders
-- returns (order id, live record of a customer who placed it)

SELECT link.first_id, other.customer_id
  FROM customers_link AS link
  JOIN customers_identifier AS other ON other.id = link.second_id
 WHERE link.first_id = ANY (%(ids)s::bigint[]) AND link.kind = 'placed'
 UNION
SELECT link.second_id, other.customer_id
  FROM customers_link AS link
  JOIN customers_identifier AS other ON other.id = link.first_id
 WHERE link.second_id = ANY (%(ids)s::bigint[]) AND link.kind = 'placed'
