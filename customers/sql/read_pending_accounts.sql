-- Read the accounts that a source named a mailbox for, after a proof of another one, so that the mailbox
-- is pending. An address that a person took off, or whose change ended before, is left out.
--
-- mailbox_id  bigint
-- returns (account, source, time since which the source names it)

SELECT account.id, link.source_id, link.occurred_at
  FROM (SELECT first_id AS account_id, source_id, occurred_at
          FROM customers_link
         WHERE second_id = %(mailbox_id)s
           AND kind = 'seen' AND state = 'replaced' AND evidence = 30
         UNION ALL
        SELECT second_id, source_id, occurred_at
          FROM customers_link
         WHERE first_id = %(mailbox_id)s
           AND kind = 'seen' AND state = 'replaced' AND evidence = 30) AS link
  JOIN customers_identifier AS account ON account.id = link.account_id
 WHERE (account.kind = 'user_id' OR account.kind LIKE 'external:%%')
   AND account.erasure_id IS NULL
   AND NOT EXISTS (SELECT
                     FROM customers_manualdecision AS decision
                    WHERE decision.kind = 'separate' AND decision.undone_at IS NULL
                      AND decision.first_id = LEAST(account.id, %(mailbox_id)s)
                      AND decision.second_id = GREATEST(account.id, %(mailbox_id)s))
   AND NOT EXISTS (SELECT
                     FROM customers_addresschange AS change
                    WHERE change.holder_ids @> ARRAY[account.id]
                      AND change.added_id = %(mailbox_id)s)
 LIMIT 10
