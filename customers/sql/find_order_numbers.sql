-- Find those of these numbers that an order of any source already has.
--
-- numbers  text[]

SELECT DISTINCT substring(value, strpos(value, '/') + 1)
  FROM customers_identifier
 WHERE kind = 'order' AND evidence = 2
   AND substring(value, strpos(value, '/') + 1) = ANY (%(numbers)s::text[])
