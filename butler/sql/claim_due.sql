-- Take some due rows that nobody holds, oldest first. Many tickers may ask at once: each
-- gets rows of its own, and a row whose claim has lapsed can be taken again. The end of the
-- claim is also its token: who comes back after it lapsed finds another one in the row.
--
-- now, until  timestamptz, most  int

WITH free AS MATERIALIZED (
    SELECT id
      FROM butler_due
     WHERE done_at IS NULL
       AND due_at <= %(now)s
       AND (claimed_until IS NULL OR claimed_until < %(now)s)
     ORDER BY due_at, id
     LIMIT %(most)s
       FOR UPDATE SKIP LOCKED
)
UPDATE butler_due AS due
   SET claimed_until = %(until)s, attempts = attempts + 1
 -- As a join, a plan made for any number of rows would read all that wait.
 WHERE due.id = ANY (ARRAY (SELECT id FROM free))
RETURNING due.id, due.duty, due.customer_id, due.key, due.facts, due.attempts,
          due.due_at, due.claimed_until
