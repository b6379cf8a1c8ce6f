-- Read the primary identifier of each of these records: the one that it was created for.
--
-- ids  uuid[]

SELECT record_id, id
  FROM customers_identifier
 WHERE record_id = ANY (%(ids)s::uuid[])
