-- Write the new state of runs. A waiting run gets a new due time; the due row of an ended run is
-- deleted. The caller has locked the runs and the due rows with lock_runs.sql.
--
-- runs  jsonb  [{run_id, due_id, status, step, awaited, awaited_about, reason, due_at|null,
--                memory for the due row}, ...]
-- orphaned_due_ids  bigint[]  due rows without a waiting run
-- claim_ends  timestamptz[]   the ends of their claims
-- now   timestamptz

WITH new_state AS MATERIALIZED (
    SELECT *
      FROM jsonb_to_recordset(%(runs)s::jsonb) AS new_state (
           run_id uuid, due_id bigint, status text, step text, awaited text,
           awaited_about text, reason text, due_at timestamptz, memory jsonb)
), updated AS (
    UPDATE butler_run AS run
       SET status = new_state.status, step = new_state.step, awaited = new_state.awaited,
           awaited_about = new_state.awaited_about, arrived_at = NULL,
           reason = new_state.reason,
           ended_at = CASE WHEN new_state.status <> 'waiting' THEN %(now)s::timestamptz END
      FROM new_state
     WHERE run.id = new_state.run_id
), rescheduled AS (
    UPDATE butler_due AS due
       SET due_at = new_state.due_at, facts = new_state.memory, claimed_until = NULL,
           attempts = 0, failed_reason = ''
      FROM new_state
     WHERE due.id = new_state.due_id
       AND new_state.due_at IS NOT NULL
), deleted AS (
    DELETE FROM butler_due AS due
     USING new_state
     WHERE due.id = new_state.due_id
       AND new_state.due_at IS NULL
)
-- A separate statement part: one condition for both kinds of rows would read all waiting rows.
DELETE FROM butler_due AS due
 USING unnest(%(orphaned_due_ids)s::bigint[], %(claim_ends)s::timestamptz[])
       AS claim (due_id, claimed_until)
 WHERE due.id = claim.due_id
   AND due.claimed_until = claim.claimed_until
