-- The links among the given identifiers.
--
-- ids  bigint[]

SELECT left_id, right_id, evidence, kind
  FROM customers_link
 WHERE left_id = ANY (%(ids)s::bigint[])
   AND right_id = ANY (%(ids)s::bigint[])
