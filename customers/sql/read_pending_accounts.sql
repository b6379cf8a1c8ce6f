-- Read the accounts for which a source named a mailbox after a proof of another one, so that the mailbox
-- is pending. Left out are mailboxes that a person separated, or that already had a change.
--
-- record_id  uuid  the record for the events of the mailbox; of its mailboxes, the last period counts
-- returns (account, mailbox, source, time since which the source names it)

WITH mailbox AS MATERIALIZED (
    SELECT id
      FROM customers_identifier
     WHERE record_id = %(record_id)s AND kind = 'email' AND evidence = 2 AND erasure_id IS NULL
     ORDER BY period DESC
     LIMIT 1
)
SELECT account.id, mailbox.id, link.source_id, link.occurred_at
  FROM mailbox
 CROSS JOIN LATERAL (
       SELECT first_id AS account_id, source_id, occurred_at
         FROM customers_link
        WHERE second_id = mailbox.id
          AND kind = 'seen' AND state = 'replaced' AND evidence >= 30 AND source_id <> 1
        UNION ALL
       SELECT second_id, source_id, occurred_at
         FROM customers_link
        WHERE first_id = mailbox.id
          AND kind = 'seen' AND state = 'replaced' AND evidence >= 30 AND source_id <> 1) AS link
  JOIN customers_identifier AS account ON account.id = link.account_id
 WHERE (account.kind = 'user_id' OR account.kind LIKE 'external:%%')
   AND account.erasure_id IS NULL
   AND NOT EXISTS (SELECT
                     FROM customers_manualdecision AS decision
                    WHERE decision.kind = 'separate' AND decision.undone_at IS NULL
                      AND decision.first_id = LEAST(account.id, mailbox.id)
                      AND decision.second_id = GREATEST(account.id, mailbox.id))
   AND NOT EXISTS (SELECT
                     FROM customers_addresschange AS change
                    WHERE change.holder_ids @> ARRAY[account.id]
                      AND change.added_id = mailbox.id)
 LIMIT 10
