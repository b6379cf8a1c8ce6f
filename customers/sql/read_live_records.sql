-- Read the live records that these identifiers lead to.
--
-- ids  bigint[]

SELECT id, customer_id
  FROM customers_identifier
 WHERE id = ANY (%(ids)s::bigint[])
   AND customer_id IS NOT NULL
