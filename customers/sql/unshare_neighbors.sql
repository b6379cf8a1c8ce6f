-- Reset the flag "shared" of the values of these groups. After staff merged two accounts, a value
-- that only these two shared leads to one customer again. The following regrouping sets the flag of
-- the values that are still shared.
--
-- ids  bigint[]  one identifier of each group

WITH identifier AS MATERIALIZED (
    SELECT id
      FROM customers_identifier
     WHERE customer_id IN (SELECT customer_id FROM customers_identifier
                            WHERE id = ANY (%(ids)s::bigint[]))
), neighbor AS (
    SELECT link.first_id AS id FROM customers_link AS link
      JOIN identifier ON identifier.id = link.second_id WHERE link.kind = 'seen'
     UNION
    SELECT link.second_id FROM customers_link AS link
      JOIN identifier ON identifier.id = link.first_id WHERE link.kind = 'seen'
)
UPDATE customers_identifier AS shared
   SET is_shared = false
  FROM neighbor
 WHERE shared.id = neighbor.id
   AND shared.is_shared
RETURNING shared.id
