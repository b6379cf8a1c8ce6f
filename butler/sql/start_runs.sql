-- Start runs, each with the row that says when to look at it. An occasion that had its run has
-- it still. Where an automation gathers, events go to the run that is gathering already. What
-- came too late for its automation leaves the decision that says so; where the occasion would
-- come up again and again, it leaves an ended run, too.
--
-- asked  jsonb  [{i run_id, d decision_id, g version_id, c customer_id, o occasion,
--                 at occurred_at, s step, x awaited, xa awaited_about, b cause, u due_at,
--                 late bool, k keeps the occasion though late, v customer_version}, ...]
-- now    timestamptz
-- returns the ids of the runs that were started

WITH wanted AS MATERIALIZED (
    SELECT asked.*, version.automation_id, version.document
      FROM ROWS FROM (jsonb_to_recordset(%(asked)s::jsonb) AS (
           i uuid, d uuid, g bigint, c uuid, o text, at timestamptz, s text, x text, xa text,
           b jsonb, u timestamptz, late boolean, k boolean, v bigint))
           WITH ORDINALITY AS asked (i, d, g, c, o, at, s, x, xa, b, u, late, k, v, place)
      JOIN butler_automationversion AS version ON version.id = asked.g
     -- The asker may have heard of the version seconds ago; what counts is what it is now.
     WHERE version.status = 'live'
       AND version.live_at <= asked.at
), gathered AS (
    -- The customer is held, so two events do not both find nothing; and whoever takes that run
    -- on holds it, so an event goes into it in time or has a run of its own.
    UPDATE butler_run AS run
       SET cause = jsonb_set(
               CASE WHEN (run.cause->'count')::int >= 100 THEN run.cause
                    ELSE jsonb_set(run.cause, '{gathered}',
                                   run.cause->'gathered' || (wanted.b->'gathered')) END,
               '{count}',
               to_jsonb((run.cause->'count')::int + jsonb_array_length(wanted.b->'gathered')))
      FROM wanted
     WHERE wanted.b ? 'gathered'
       AND NOT wanted.late
       AND run.customer_id = wanted.c
       AND run.automation_id = wanted.automation_id
       AND run.status = 'waiting'
       AND run.step = ''
       -- A run of an older version may wait before its first step without gathering anything.
       AND run.cause ? 'gathered'
 RETURNING wanted.i
), started AS (
    INSERT INTO butler_run
           (id, automation_id, version_id, customer_id, occasion, cause, occurred_at, status,
            step, awaited, awaited_about, reason, created_at, ended_at)
    SELECT i, automation_id, g, c, o,
           CASE WHEN b ? 'gathered'
                THEN jsonb_set(b, '{count}', to_jsonb(jsonb_array_length(b->'gathered')))
                ELSE b END,
           at, CASE WHEN late THEN 'cancelled' ELSE 'waiting' END,
           s, CASE WHEN late THEN '' ELSE x END, xa,
           CASE WHEN late THEN 'late_event' ELSE '' END, %(now)s,
           CASE WHEN late THEN %(now)s::timestamptz END
      FROM wanted
     WHERE (k OR NOT late)
       AND i NOT IN (SELECT i FROM gathered)
     -- Of two in one batch with the same occasion, the first one has the run.
     ORDER BY place
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
