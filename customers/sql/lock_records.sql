-- Lock records in the order of their ids, as every other writer does.
--
-- ids  uuid[]

SELECT id
  FROM customers_customer
 WHERE id = ANY (%(ids)s::uuid[])
 ORDER BY id
   FOR NO KEY UPDATE
