-- Find out whether a session proved an identifier that may hand over the tickets of an order: one that
-- the order was sent with, or one with a confirmed link to such an account.
--
-- order_key  text      the value of the order's identifier, with the place that the order shows
-- proved     bigint[]
-- returns a row if it may

WITH named AS (
    SELECT CASE WHEN link.first_id = placed.id THEN link.second_id ELSE link.first_id END AS id
      FROM customers_identifier AS placed
      JOIN customers_link AS link ON placed.id IN (link.first_id, link.second_id)
     WHERE placed.kind = 'order' AND placed.value = customers_sent_number(%(order_key)s) AND placed.evidence = 2
       AND placed.erasure_id IS NULL
)
SELECT named.id
  FROM named
 WHERE named.id = ANY (%(proved)s::bigint[])
    OR EXISTS (SELECT FROM customers_link AS link
                WHERE link.evidence = 50 AND link.state <> 'replaced'
                  AND ((link.first_id = named.id AND link.second_id = ANY (%(proved)s::bigint[]))
                    OR (link.second_id = named.id AND link.first_id = ANY (%(proved)s::bigint[]))))
 LIMIT 1
