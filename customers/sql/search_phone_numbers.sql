-- Find phone numbers that end with these digits, in any country.
--
-- tail   text  the digits in reverse order. The statement compares ranges instead of using LIKE,
--              because a prepared plan with LIKE cannot use the index. The colon follows the
--              digit 9 in ASCII.
-- limit  int

SELECT DISTINCT ON (customer_id) customer_id, 1.0::real, evidence = 2
  FROM customers_identifier
 WHERE kind = 'phone'
   AND reverse(value) ~>=~ %(tail)s
   AND reverse(value) ~<~ (%(tail)s || ':')
   AND customer_id IS NOT NULL
 ORDER BY customer_id, evidence DESC
 LIMIT %(limit)s
