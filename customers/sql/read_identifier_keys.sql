-- Read the kind, value, evidence and period of identifiers.
--
-- ids  bigint[]

SELECT id, kind, value, evidence, period
  FROM customers_identifier
 WHERE id = ANY (%(ids)s::bigint[])
