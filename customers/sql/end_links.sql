-- End the links between erased identifiers and others, and read the others that may have another
-- record now.
--
-- ids  bigint[]  the identifiers of one erasure
-- returns the identifiers at the other ends, and the orders with the numbers of erased orders

WITH crossing AS MATERIALIZED (
    SELECT id, second_id AS other_id, state
      FROM customers_link
     WHERE first_id = ANY (%(ids)s::bigint[]) AND second_id <> ALL (%(ids)s::bigint[])
     UNION ALL
    SELECT id, first_id, state
      FROM customers_link
     WHERE second_id = ANY (%(ids)s::bigint[]) AND first_id <> ALL (%(ids)s::bigint[])
), ended AS (
    UPDATE customers_link AS link
       SET state = 'filed'
      FROM crossing
     WHERE link.id = crossing.id AND crossing.state <> 'filed'
)
SELECT DISTINCT other.id
  FROM crossing
  JOIN customers_identifier AS other ON other.id = crossing.other_id
 WHERE other.erasure_id IS NULL
   AND (crossing.state <> 'filed' OR other.kind = 'order')
 UNION
SELECT other.id
  FROM customers_identifier AS other
 WHERE other.kind = 'order'
   AND substring(other.value, strpos(other.value, '/') + 1) = ANY (ARRAY(
       SELECT substring(value, strpos(value, '/') + 1)
         FROM customers_identifier
        WHERE id = ANY (%(ids)s::bigint[]) AND kind = 'order' AND evidence = 2))
   AND other.erasure_id IS NULL
