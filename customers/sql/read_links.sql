-- Read the links among the given identifiers.
--
-- ids  bigint[]

SELECT first_id, second_id, evidence, kind
  FROM customers_link
 WHERE first_id = ANY (%(ids)s::bigint[])
   AND second_id = ANY (%(ids)s::bigint[])
