-- Signal stored events to the runs that await them, in the transaction of the events. A run that
-- waits for the absence of the event ends here. The other runs become due immediately.
--
-- Locks runs in the order of their ids, and their due rows after them, as a tick does.
--
-- events  jsonb  [{customer_id, name, about, occurred_at, version}, ...]
-- now     timestamptz
-- returns the ids of the runs that continue

WITH event AS MATERIALIZED (
    SELECT *
      FROM jsonb_to_recordset(%(events)s::jsonb) AS event (
           customer_id uuid, name text, about text, occurred_at timestamptz, version bigint)
), event_of_record AS MATERIALIZED (
    SELECT event.*, event.customer_id AS record_id FROM event
     UNION ALL
    -- The record of a run may have been merged into this one after the run started.
    SELECT event.*, merged.id
      FROM event
      JOIN customers_customer AS merged ON merged.canonical_id = event.customer_id
), signaled AS MATERIALIZED (
    SELECT run.id, run.step, run.customer_id
      FROM butler_run AS run
     WHERE run.status = 'waiting'
       AND run.awaited <> ''
       AND run.arrived_at IS NULL
       AND (run.customer_id, run.awaited) IN (SELECT record_id, name FROM event_of_record)
       AND EXISTS (SELECT FROM event_of_record AS event
                    WHERE event.record_id = run.customer_id
                      AND event.name = run.awaited
                      AND (run.awaited_about IN ('', event.about))
                      AND event.occurred_at >= run.occurred_at)
     ORDER BY run.id
       FOR UPDATE
), ended AS (
    UPDATE butler_run AS run
       SET status = 'cancelled', reason = 'cancelled_by_event', awaited = '',
           arrived_at = %(now)s, ended_at = %(now)s
      FROM signaled
     WHERE run.id = signaled.id
       AND signaled.step = ''
 RETURNING run.id, run.customer_id, run.automation_id, run.version_id
), deleted_due AS (
    DELETE FROM butler_due AS due
     USING ended
     WHERE due.job = 'run'
       AND due.key = ended.id::text
), decision AS (
    INSERT INTO butler_decision
           (id, customer_id, run_id, automation_id, stage, outcome, code, act, gates,
            customer_version, rules_version, decided_at)
    SELECT gen_random_uuid(), ended.customer_id, ended.id, ended.automation_id, 'judge', 'skip',
           'cancelled_by_event',
           jsonb_build_object('class', document->>'class', 'topic', document->>'topic',
                              'channel', '', 'purpose', coalesce(document->>'purpose', ''),
                              'relation', ''),
           '[]',
           (SELECT max(event.version) FROM event_of_record AS event
             WHERE event.record_id = ended.customer_id), '', %(now)s
      FROM ended
      JOIN butler_automationversion AS version ON version.id = ended.version_id
), resumed AS (
    UPDATE butler_run AS run
       SET arrived_at = %(now)s
      FROM signaled
     WHERE run.id = signaled.id
       AND signaled.step <> ''
 RETURNING run.id
), resumed_due AS (
    UPDATE butler_due AS due
       SET due_at = %(now)s
      FROM resumed
     WHERE due.job = 'run'
       AND due.key = resumed.id::text
)
SELECT id FROM resumed
