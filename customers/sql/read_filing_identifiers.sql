-- The identifier that each of these records was opened for.
--
-- ids  uuid[]

SELECT record_id, id
  FROM customers_identifier
 WHERE record_id = ANY (%(ids)s::uuid[])
