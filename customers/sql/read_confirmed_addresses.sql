-- Read the mailboxes that a source confirmed for an account after a proof of another one, so that they are
-- pending. An address that a person took off, or that has had a change, is left out, and one
-- after which the source named another mailbox.
--
-- since  timestamptz  the earliest time at which the link was stored; link_confirmed_later serves it
-- limit  int
-- returns (account, mailbox, source, time since which the source names it)

SELECT account.id, mailbox.id, link.source_id, link.occurred_at
  FROM customers_link AS link
 CROSS JOIN LATERAL (
       SELECT id FROM customers_identifier
        WHERE id IN (link.first_id, link.second_id)
          AND (kind = 'user_id' OR kind LIKE 'external:%%')
          AND erasure_id IS NULL) AS account
 CROSS JOIN LATERAL (
       SELECT id FROM customers_identifier
        WHERE id IN (link.first_id, link.second_id)
          AND kind = 'email' AND erasure_id IS NULL) AS mailbox
 WHERE link.state = 'replaced'
   AND link.kind = 'seen'
   AND link.evidence >= 40
   AND link.source_id <> 1
   AND link.recorded_at >= %(since)s
   AND NOT EXISTS (SELECT
                     FROM customers_link AS later
                     JOIN customers_identifier AS other
                       ON other.id = later.first_id + later.second_id - account.id
                      AND other.kind = 'email'
                    WHERE account.id IN (later.first_id, later.second_id)
                      AND later.kind = 'seen' AND later.evidence >= 30
                      AND later.source_id = link.source_id
                      AND later.occurred_at > link.occurred_at)
   AND NOT EXISTS (SELECT
                     FROM customers_manualdecision AS decision
                    WHERE decision.kind = 'separate' AND decision.undone_at IS NULL
                      AND decision.first_id = link.first_id
                      AND decision.second_id = link.second_id)
   AND NOT EXISTS (SELECT
                     FROM customers_addresschange AS change
                    WHERE change.holder_ids @> ARRAY[account.id]
                      AND change.added_id = mailbox.id)
 ORDER BY link.recorded_at, link.id
 LIMIT %(limit)s
