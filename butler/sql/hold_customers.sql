-- Hold the live records of some customers against everything that changes them, in the order
-- of their ids. Whom somebody else holds, or who was just joined to another, is left out.
--
-- ids  uuid[]

SELECT id
  FROM customers_customer
 WHERE id = ANY (%(ids)s::uuid[])
   AND canonical_id IS NULL
 ORDER BY id
   FOR NO KEY UPDATE SKIP LOCKED
