-- Lock live records, in the order of their ids. Records that are locked elsewhere, or that were
-- just merged into another, are left out.
--
-- ids  uuid[]

SELECT id
  FROM customers_customer
 WHERE id = ANY (%(ids)s::uuid[])
   AND canonical_id IS NULL
 ORDER BY id
   FOR NO KEY UPDATE SKIP LOCKED
