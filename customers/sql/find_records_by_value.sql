-- Find the live records that have an identifier with this value, of whatever kind. A number and an
-- order also match without their source.
--
-- value   text
-- number  text  the value without its source
-- limit   int
-- returns ids of live records

SELECT DISTINCT customer_id
  FROM (SELECT customer_id
          FROM customers_identifier
         WHERE kind IN ('email', 'phone', 'card', 'anonymous_id', 'device')
           AND value = %(value)s
         UNION ALL
        SELECT customer_id
          FROM customers_identifier
         WHERE (kind = 'user_id' OR kind LIKE 'external:%%')
           AND substring(value, strpos(value, '/') + 1) = %(number)s
           AND %(value)s IN (value, %(number)s)
         UNION ALL
        SELECT customer_id
          FROM customers_orders_with_number(%(number)s)
         UNION ALL
        SELECT customer_id
          FROM customers_identifier
         WHERE kind = 'order'
           AND substring(value, strpos(value, '/') + 1) = %(number)s
           AND %(value)s IN (value, %(number)s)) AS identifier
 WHERE customer_id IS NOT NULL
 LIMIT %(limit)s
