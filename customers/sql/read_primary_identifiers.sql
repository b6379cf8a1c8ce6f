-- The primary identifier of each of these records: the one it was created for.
--
-- ids  uuid[]

SELECT record_id, id
  FROM customers_identifier
 WHERE record_id = ANY (%(ids)s::uuid[])
