-- Claim due rows, the oldest first. Concurrent ticks claim different rows, and a row with an
-- expired claim can be claimed again. The end of the claim is also its token: if a tick is too
-- slow, the row has the token of another tick.
--
-- now, until  timestamptz, limit  int

WITH claimable AS MATERIALIZED (
    SELECT id
      FROM butler_due
     WHERE done_at IS NULL
       AND due_at <= %(now)s
       AND (claimed_until IS NULL OR claimed_until < %(now)s)
     ORDER BY due_at, id
     LIMIT %(limit)s
       FOR UPDATE SKIP LOCKED
)
UPDATE butler_due AS due
   SET claimed_until = %(until)s, attempts = attempts + 1
 -- Not a join, because its generic plan would read all due rows.
 WHERE due.id = ANY (ARRAY (SELECT id FROM claimable))
RETURNING due.id, due.job, due.customer_id, due.key, due.facts, due.attempts,
          due.due_at, due.claimed_until
