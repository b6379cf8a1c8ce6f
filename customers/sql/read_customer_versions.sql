-- Read the versions of these customers. The caller holds the locks.
--
-- ids  uuid[]

SELECT id, version
  FROM customers_customer
 WHERE id = ANY (%(ids)s::uuid[])
