-- Tell the runs that wait for events that they came. A run that waited for nothing to happen
-- ends here, in the event's own transaction; the others are due at once.
--
-- Locks runs in the order of their ids, and their due rows after them, as a tick does.
--
-- events  jsonb  [{c customer_id, n name, a about, at occurred_at, v version}, ...]
-- now     timestamptz
-- returns the ids of the runs that go on

WITH event AS MATERIALIZED (
    SELECT *
      FROM jsonb_to_recordset(%(events)s::jsonb) AS event (
           c uuid, n text, a text, at timestamptz, v bigint)
), of_record AS MATERIALIZED (
    SELECT event.*, event.c AS record FROM event
     UNION ALL
    -- A run may have been started before its record was joined into this one.
    SELECT event.*, member.id
      FROM event
      JOIN customers_customer AS member ON member.canonical_id = event.c
), met AS MATERIALIZED (
    SELECT run.id, run.step, run.customer_id
      FROM butler_run AS run
     WHERE run.status = 'waiting'
       AND run.awaited <> ''
       AND run.arrived_at IS NULL
       AND (run.customer_id, run.awaited) IN (SELECT record, n FROM of_record)
       AND EXISTS (SELECT FROM of_record AS one
                    WHERE one.record = run.customer_id
                      AND one.n = run.awaited
                      AND (run.awaited_about IN ('', one.a))
                      AND one.at >= run.occurred_at)
     ORDER BY run.id
       FOR UPDATE
), ended AS (
    UPDATE butler_run AS run
       SET status = 'cancelled', reason = 'cancelled_by_event', awaited = '',
           arrived_at = %(now)s, ended_at = %(now)s
      FROM met
     WHERE run.id = met.id
       AND met.step = ''
 RETURNING run.id, run.customer_id, run.automation_id, run.version_id
), gone AS (
    DELETE FROM butler_due AS due
     USING ended
     WHERE due.duty = 'run'
       AND due.key = ended.id::text
), told AS (
    INSERT INTO butler_decision
           (id, customer_id, run_id, automation_id, stage, outcome, code, act, gates,
            customer_version, rules_version, decided_at)
    SELECT gen_random_uuid(), ended.customer_id, ended.id, ended.automation_id, 'judge', 'skip',
           'cancelled_by_event',
           jsonb_build_object('class', document->>'class', 'topic', document->>'topic',
                              'channel', '', 'purpose', coalesce(document->>'purpose', ''),
                              'relation', ''),
           '[]',
           (SELECT max(v) FROM of_record WHERE record = ended.customer_id), '', %(now)s
      FROM ended
      JOIN butler_automationversion AS version ON version.id = ended.version_id
), woken AS (
    UPDATE butler_run AS run
       SET arrived_at = %(now)s
      FROM met
     WHERE run.id = met.id
       AND met.step <> ''
 RETURNING run.id
), rung AS (
    UPDATE butler_due AS due
       SET due_at = %(now)s
      FROM woken
     WHERE due.duty = 'run'
       AND due.key = woken.id::text
)
SELECT id FROM woken
