-- Which of these numbers orders of some source have already.
--
-- numbers  text[]

SELECT DISTINCT substring(value, strpos(value, '/') + 1)
  FROM customers_identifier
 WHERE kind = 'order' AND evidence = 2
   AND substring(value, strpos(value, '/') + 1) = ANY (%(numbers)s::text[])
