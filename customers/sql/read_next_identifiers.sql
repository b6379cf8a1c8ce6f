-- Read the ids of the next identifiers, sorted, with the live record of each.
--
-- after, batch  bigint, int

SELECT id, customer_id
  FROM customers_identifier
 WHERE id > %(after)s
 ORDER BY id
 LIMIT %(batch)s
