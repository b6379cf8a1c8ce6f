-- Read the pending mailboxes that a source confirmed. Left out are mailboxes that a person separated,
-- that already had a change, or after which the source named another one.
--
-- since, after  timestamptz, bigint  the last row that was read: when its link was stored, and its id
-- limit         int
-- returns (when the link was stored, its id, account, mailbox, source, time since which the source names
--         the mailbox); link_pending_confirmed serves the order

SELECT link.recorded_at, link.id, account.id, mailbox.id, link.source_id, link.occurred_at
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
   AND (link.recorded_at, link.id) > (%(since)s::timestamptz, %(after)s::bigint)
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
