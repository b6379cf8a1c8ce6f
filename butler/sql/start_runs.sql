-- Start runs, each with the row that says when to look at it. An occasion that had its run has
-- it still. What came too late for its automation leaves the decision that says so; where the
-- occasion would come up again and again, it leaves an ended run, too.
--
-- asked  jsonb  [{i run_id, d decision_id, g version_id, c customer_id, o occasion,
--                 at occurred_at, s step, x awaited, xa awaited_about, b cause, u due_at,
--                 late bool, k keeps the occasion though late, v customer_version}, ...]
-- now    timestamptz
-- returns the ids of the runs that were started

WITH wanted AS MATERIALIZED (
    SELECT asked.*, version.automation_id, version.document
      FROM jsonb_to_recordset(%(asked)s::jsonb) AS asked (
           i uuid, d uuid, g bigint, c uuid, o text, at timestamptz, s text, x text, xa text,
           b jsonb, u timestamptz, late boolean, k boolean, v bigint)
      JOIN butler_automationversion AS version ON version.id = asked.g
     -- The asker may have heard of the version seconds ago; what counts is what it is now.
     WHERE version.status = 'live'
       AND version.live_at <= asked.at
), started AS (
    INSERT INTO butler_run
           (id, automation_id, version_id, customer_id, occasion, cause, occurred_at, status,
            step, awaited, awaited_about, reason, created_at, ended_at)
    SELECT i, automation_id, g, c, o, b, at, CASE WHEN late THEN 'cancelled' ELSE 'waiting' END,
           s, CASE WHEN late THEN '' ELSE x END, xa,
           CASE WHEN late THEN 'late_event' ELSE '' END, %(now)s,
           CASE WHEN late THEN %(now)s::timestamptz END
      FROM wanted
     WHERE k OR NOT late
        ON CONFLICT (customer_id, automation_id, occasion) DO NOTHING
 RETURNING id, status
), due AS (
    INSERT INTO butler_due (duty, customer_id, key, facts, due_at, failed_reason)
    SELECT 'run', wanted.c, started.id::text, '{}', wanted.u, ''
      FROM started
      JOIN wanted ON wanted.i = started.id
     WHERE started.status = 'waiting'
), told AS (
    INSERT INTO butler_decision
           (id, customer_id, run_id, automation_id, stage, outcome, code, act, gates,
            customer_version, rules_version, decided_at)
    SELECT d, c, started.id, automation_id, 'judge', 'skip', 'late_event',
           jsonb_build_object('class', document->>'class', 'topic', document->>'topic',
                              'channel', '', 'purpose', coalesce(document->>'purpose', ''),
                              'relation', ''),
           jsonb_build_array(jsonb_build_object(
               'gate', 'expiry', 'layer', 'integrity', 'verdict', 'deny', 'code', 'late_event',
               'evidence', '[]'::jsonb,
               'inputs', jsonb_build_object('occurred_at', at, 'received_at', %(now)s))),
           v, '', %(now)s
      FROM wanted
      LEFT JOIN started ON started.id = wanted.i
     WHERE late
       AND (NOT k OR started.id IS NOT NULL)
)
SELECT id FROM started WHERE status = 'waiting'
