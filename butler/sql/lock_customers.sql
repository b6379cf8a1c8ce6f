-- Lock live records, in the order of their ids. Records that another transaction has locked, and
-- records that were merged into another record, are left out.
--
-- ids  uuid[]

SELECT id
  FROM customers_customer
 WHERE id = ANY (%(ids)s::uuid[])
   AND canonical_id IS NULL
 ORDER BY id
   FOR NO KEY UPDATE SKIP LOCKED
