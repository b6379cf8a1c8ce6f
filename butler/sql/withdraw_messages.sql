-- Take back messages of an automation that was stopped: those that have not left, and those in
-- the app that still hold and nobody has read. Mail and SMS that left cannot be taken back.
--
-- key    text  the automation; "*": all of them
-- after  uuid  look at messages after this one, in the order in which they were made
-- most   int, now  timestamptz
-- returns the ids that were taken back, in order

WITH found AS (
    SELECT id
      FROM butler_message
     WHERE id > %(after)s
       AND automation_id <> ''
       AND (%(key)s = '*' OR automation_id = %(key)s)
       AND (state = 'queued'
            OR (channel = 'inbox' AND state IN ('accepted', 'delivered')
                AND read_at IS NULL AND expires_at > %(now)s))
     ORDER BY id
     LIMIT %(most)s
       FOR UPDATE
), taken AS (
    UPDATE butler_message AS message
       SET state = 'withdrawn', state_at = %(now)s, reason = 'halted'
      FROM found
     WHERE message.id = found.id
 RETURNING message.id
)
SELECT id FROM taken ORDER BY id
