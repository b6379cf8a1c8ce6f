-- Claim due rows, the oldest first. Concurrent ticks claim different rows, and a row whose claim
-- has lapsed can be claimed again. The end of the claim is also its token: a tick that was too
-- slow finds another one in the row.
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
 -- Not a join: a plan for any number of rows would read all rows that are due.
 WHERE due.id = ANY (ARRAY (SELECT id FROM claimable))
RETURNING due.id, due.job, due.customer_id, due.key, due.facts, due.attempts,
          due.due_at, due.claimed_until
