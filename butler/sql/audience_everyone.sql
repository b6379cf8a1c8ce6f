-- Every customer, a batch at a time.
--
-- after  uuid, limit  int
-- returns customer ids, in order

SELECT id
  FROM customers_customer
 WHERE canonical_id IS NULL
   AND id > %(after)s::uuid
 ORDER BY id
 LIMIT %(limit)s
