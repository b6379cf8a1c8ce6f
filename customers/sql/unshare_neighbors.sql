-- Reset the shared values of some groups: two accounts that a person merged are one,
-- and what only they shared leads to them again. Drawing the groups marks what stays shared.
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
