-- Customers who gave their consent to a purpose, a batch at a time.
--
-- purpose  text, after  uuid, limit  int
-- returns customer ids, in order

SELECT customer_id
  FROM customers_consentstate
 WHERE granted @> ARRAY[%(purpose)s]
   AND customer_id > %(after)s::uuid
 ORDER BY customer_id
 LIMIT %(limit)s
