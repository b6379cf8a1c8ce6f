-- Lock records in the order of their ids. All writers use this order.
--
-- ids  uuid[]

SELECT id
  FROM customers_customer
 WHERE id = ANY (%(ids)s::uuid[])
 ORDER BY id
   FOR NO KEY UPDATE
