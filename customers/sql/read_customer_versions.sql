-- The versions of these customers; the caller holds the locks.
--
-- ids  uuid[]

SELECT id, version
  FROM customers_customer
 WHERE id = ANY (%(ids)s::uuid[])
