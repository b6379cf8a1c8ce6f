-- Start runs, each with the row that says when to look at it; what came too late for its
-- automation leaves only the decision that says so. An occasion that had its run has it still.
--
-- asked  jsonb  [{i run_id, d decision_id, g version_id, c customer_id, o occasion,
--                 at occurred_at, s step, x awaited, xa awaited_about, b cause, u due_at,
--                 late bool, v customer_version}, ...]
-- now    timestamptz
-- returns the ids of the runs that were started

WITH wanted AS MATERIALIZED (
    SELECT asked.*, version.automation_id, version.document
      FROM jsonb_to_recordset(%(asked)s::jsonb) AS asked (
           i uuid, d uuid, g bigint, c uuid, o text, at timestamptz, s text, x text, xa text,
           b jsonb, u timestamptz, late boolean, v bigint)
      JOIN butler_automationversion AS version ON version.id = asked.g
     -- The asker may have heard of the version seconds ago; what counts is what it is now.
     WHERE version.status = 'live'
       AND version.live_at <= asked.at
), started AS (
    INSERT INTO butler_run
           (id, automation_id, version_id, customer_id, occasion, cause, occurred_at, status,
            step, awaited, awaited_about, reason, created_at)
    SELECT i, automation_id, g, c, o, b, at, 'waiting', s, x, xa, '', %(now)s
      FROM wanted
     WHERE NOT late
        ON CONFLICT (customer_id, automation_id, occasion) DO NOTHING
 RETURNING id
), due AS (
    INSERT INTO butler_due (duty, customer_id, key, facts, due_at, failed_reason)
    SELECT 'run', wanted.c, started.id::text, '{}', wanted.u, ''
      FROM started
      JOIN wanted ON wanted.i = started.id
), told AS (
    INSERT INTO butler_decision
           (id, customer_id, automation_id, stage, outcome, code, act, gates,
            customer_version, rules_version, decided_at)
    SELECT d, c, automation_id, 'judge', 'skip', 'late_event',
           jsonb_build_object('class', document->>'class', 'topic', document->>'topic',
                              'channel', '', 'purpose', coalesce(document->>'purpose', ''),
                              'relation', ''),
           jsonb_build_array(jsonb_build_object(
               'gate', 'expiry', 'layer', 'integrity', 'verdict', 'deny', 'code', 'late_event',
               'evidence', '[]'::jsonb,
               'inputs', jsonb_build_object('occurred_at', at, 'received_at', %(now)s))),
           v, '', %(now)s
      FROM wanted
     WHERE late
)
SELECT id FROM started
