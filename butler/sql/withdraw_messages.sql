-- Take back messages: those that have not left, and those in the app that still hold and nobody
-- has read. Mail and SMS that left cannot be taken back. The customers are held.
--
-- ids  uuid[], now  timestamptz
-- returns (message, live record, whether its reader could see it) of what was taken back

WITH found AS MATERIALIZED (
    SELECT id, customer_id, state <> 'queued' AS was_there
      FROM butler_message
     WHERE id = ANY (%(ids)s::uuid[])
       AND (state = 'queued'
            OR (channel = 'inbox' AND state IN ('accepted', 'delivered')
                AND read_at IS NULL AND expires_at > %(now)s))
     ORDER BY id
       FOR UPDATE
), taken AS (
    UPDATE butler_message AS message
       SET state = 'withdrawn', state_at = %(now)s, reason = 'halted'
      FROM found
     WHERE message.id = found.id
 RETURNING message.id
)
SELECT found.id, coalesce(record.canonical_id, record.id), found.was_there
  FROM taken
  JOIN found ON found.id = taken.id
  JOIN customers_customer AS record ON record.id = found.customer_id
 ORDER BY found.id
