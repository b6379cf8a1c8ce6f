-- Read the identifiers of live records.
--
-- records  uuid[]
-- returns (live record, identifier)

SELECT customer_id, id
  FROM customers_identifier
 WHERE customer_id = ANY (%(records)s::uuid[])
