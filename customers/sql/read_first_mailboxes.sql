-- Read the mailbox that was stated first with each of these accounts.
--
-- ids  bigint[]
-- returns (account, mailbox); no row for an account that no source stated with a mailbox

SELECT account.id, mailbox.id
  FROM unnest(%(ids)s::bigint[]) AS account (id)
 CROSS JOIN LATERAL (
       SELECT other.id
         FROM (SELECT second_id AS other_id, occurred_at, arrival FROM customers_link
                WHERE first_id = account.id AND kind = 'seen' AND evidence >= 30
                UNION ALL
               SELECT first_id, occurred_at, arrival FROM customers_link
                WHERE second_id = account.id AND kind = 'seen' AND evidence >= 30) AS link
         JOIN customers_identifier AS other ON other.id = link.other_id
        WHERE other.kind = 'email'
        ORDER BY link.occurred_at, link.arrival, other.id
        LIMIT 1) AS mailbox
