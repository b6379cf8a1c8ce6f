-- Find telephone numbers that end with these digits, in any country.
--
-- tail   text  the digits backwards. Not LIKE: a prepared plan could not use the index, as it
--              does not know where the pattern begins. A colon is what comes after nine.
-- limit  int

SELECT DISTINCT ON (customer_id) customer_id, 1.0::real, evidence = 2
  FROM customers_identifier
 WHERE kind = 'phone'
   AND reverse(value) ~>=~ %(tail)s
   AND reverse(value) ~<~ (%(tail)s || ':')
   AND customer_id IS NOT NULL
 ORDER BY customer_id, evidence DESC
 LIMIT %(limit)s
