-- Read those of these links that a source stated.
--
-- ids        bigint[]  links
-- source_id
-- returns (first, second, kind, evidence)

SELECT first_id, second_id, kind, evidence
  FROM customers_link
 WHERE id = ANY (%(ids)s::bigint[])
   AND source_id = %(source_id)s
