-- Read the ids of the next live records, sorted.
--
-- after  uuid, batch  int

SELECT id
  FROM customers_customer
 WHERE id > %(after)s AND canonical_id IS NULL
 ORDER BY id
 LIMIT %(batch)s
