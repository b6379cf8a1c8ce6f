-- Put runs where they are now: waiting at a step, with their due row for then, or ended, with
-- no due row any more. The runs and the rows are locked (hold_runs ran).
--
-- runs  jsonb  [{i run_id, d due row, s status, p step, x awaited, xa awaited_about, r reason,
--                u due_at|null, f facts of the due row}, ...]
-- gone  bigint[]       due rows without a run that waits
-- untils  timestamptz[]  the ends of the claims on them
-- now   timestamptz

WITH moved AS MATERIALIZED (
    SELECT *
      FROM jsonb_to_recordset(%(runs)s::jsonb) AS moved (
           i uuid, d bigint, s text, p text, x text, xa text, r text, u timestamptz, f jsonb)
), placed AS (
    UPDATE butler_run AS run
       SET status = moved.s, step = moved.p, awaited = moved.x, awaited_about = moved.xa,
           arrived_at = NULL, reason = moved.r,
           ended_at = CASE WHEN moved.s <> 'waiting' THEN %(now)s::timestamptz END
      FROM moved
     WHERE run.id = moved.i
), put_off AS (
    UPDATE butler_due AS due
       SET due_at = moved.u, facts = moved.f, claimed_until = NULL, attempts = 0,
           failed_reason = ''
      FROM moved
     WHERE due.id = moved.d
       AND moved.u IS NOT NULL
), closed AS (
    DELETE FROM butler_due AS due
     USING moved
     WHERE due.id = moved.d
       AND moved.u IS NULL
)
-- Apart: either of both, asked at once, would read all that wait.
DELETE FROM butler_due AS due
 USING unnest(%(gone)s::bigint[], %(untils)s::timestamptz[]) AS claim (id, until)
 WHERE due.id = claim.id
   AND due.claimed_until = claim.until
