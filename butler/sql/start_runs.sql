-- Start runs, each with a due row for its first step. An occasion starts one run. If an automation
-- gathers, its events are added to the run that is already gathering. A late start (is_late) leaves
-- a decision with the reason. If each search would find the occasion again (is_kept_when_late), it
-- also leaves an ended run.
--
-- starts  jsonb  [{run_id, decision_id, version_id, customer_id, occasion, occurred_at, cause,
--                  due_at, step, awaited, awaited_about, is_late, is_kept_when_late,
--                  customer_version}, ...]
-- now     timestamptz
-- returns the ids of the runs that were started

WITH start AS MATERIALIZED (
    SELECT start.*, version.automation_id, version.document
      FROM ROWS FROM (jsonb_to_recordset(%(starts)s::jsonb) AS (
           run_id uuid, decision_id uuid, version_id bigint, customer_id uuid, occasion text,
           occurred_at timestamptz, cause jsonb, due_at timestamptz, step text, awaited text,
           awaited_about text, is_late boolean, is_kept_when_late boolean,
           customer_version bigint))
           WITH ORDINALITY AS start (
           run_id, decision_id, version_id, customer_id, occasion, occurred_at, cause, due_at,
           step, awaited, awaited_about, is_late, is_kept_when_late, customer_version, ordinal)
      JOIN butler_automationversion AS version ON version.id = start.version_id
     -- The current status counts, because the caller may have read the version seconds ago.
     WHERE version.status = 'live'
       AND version.live_at <= start.occurred_at
), gathered AS (
    -- The lock on the customer prevents two events from both starting a run. The job that advances
    -- a run locks it, so an event is either added before that or starts a new run.
    UPDATE butler_run AS run
       SET cause = jsonb_set(
               CASE WHEN (run.cause->'count')::int >= 100 THEN run.cause
                    ELSE jsonb_set(run.cause, '{gathered}',
                                   run.cause->'gathered' || (start.cause->'gathered')) END,
               '{count}',
               to_jsonb((run.cause->'count')::int
                        + jsonb_array_length(start.cause->'gathered')))
      FROM start
     WHERE start.cause ? 'gathered'
       AND NOT start.is_late
       AND run.customer_id = start.customer_id
       AND run.automation_id = start.automation_id
       AND run.status = 'waiting'
       AND run.step = ''
       -- A run of an older version may wait before its first step without gathering events.
       AND run.cause ? 'gathered'
 RETURNING start.run_id
), started AS (
    INSERT INTO butler_run
           (id, automation_id, version_id, customer_id, occasion, cause, occurred_at, status,
            step, awaited, awaited_about, reason, created_at, ended_at)
    SELECT run_id, automation_id, version_id, customer_id, occasion,
           CASE WHEN cause ? 'gathered'
                THEN jsonb_set(cause, '{count}', to_jsonb(jsonb_array_length(cause->'gathered')))
                ELSE cause END,
           occurred_at, CASE WHEN is_late THEN 'cancelled' ELSE 'waiting' END,
           step, CASE WHEN is_late THEN '' ELSE awaited END, awaited_about,
           CASE WHEN is_late THEN 'late_event' ELSE '' END, %(now)s,
           CASE WHEN is_late THEN %(now)s::timestamptz END
      FROM start
     WHERE (is_kept_when_late OR NOT is_late)
       AND run_id NOT IN (SELECT run_id FROM gathered)
     -- If two starts of one batch have the same occasion, the first one starts the run.
     ORDER BY ordinal
        ON CONFLICT (customer_id, automation_id, occasion) DO NOTHING
 RETURNING id, status
), due AS (
    INSERT INTO butler_due (job, customer_id, key, facts, due_at, failed_reason)
    SELECT 'run', start.customer_id, started.id::text, '{}', start.due_at, ''
      FROM started
      JOIN start ON start.run_id = started.id
     WHERE started.status = 'waiting'
), late_decision AS (
    INSERT INTO butler_decision
           (id, customer_id, run_id, automation_id, stage, outcome, code, act, gates,
            customer_version, rules_version, decided_at)
    SELECT decision_id, customer_id, started.id, automation_id, 'judge', 'skip', 'late_event',
           jsonb_build_object('class', document->>'class', 'topic', document->>'topic',
                              'channel', '', 'purpose', coalesce(document->>'purpose', ''),
                              'relation', ''),
           jsonb_build_array(jsonb_build_object(
               'gate', 'expiry', 'layer', 'integrity', 'verdict', 'deny', 'code', 'late_event',
               'evidence', '[]'::jsonb,
               'inputs', jsonb_build_object('occurred_at', occurred_at,
                                            'received_at', %(now)s))),
           customer_version, '', %(now)s
      FROM start
      LEFT JOIN started ON started.id = start.run_id
     WHERE is_late
       AND (NOT is_kept_when_late OR started.id IS NOT NULL)
)
SELECT id FROM started WHERE status = 'waiting'
