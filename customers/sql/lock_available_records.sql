-- Lock those of these records that can be locked without waiting; returns them. Two transactions
-- that wait for each other's locks would deadlock, and Postgres needs a second to detect that.
--
-- ids  uuid[]

SELECT id
  FROM customers_customer
 WHERE id = ANY (%(ids)s::uuid[])
 ORDER BY id
   FOR NO KEY UPDATE SKIP LOCKED
