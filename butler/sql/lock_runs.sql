-- Lock the runs of these due rows, if the rows still have the given claims. Also return whether
-- the awaited event is on the log, because an event that was stored before the run started to
-- wait has not signaled the run. An event that was filed on another record later counts there, and
-- not for the owner of its log.
--
-- Locks runs in the order of their ids, and their due rows after them, as
-- signal_waiting_runs.sql does.
--
-- ids         bigint[]       due rows
-- claim_ends  timestamptz[]  the ends of their claims
-- returns one row for each run that is still waiting

WITH locked AS MATERIALIZED (
    SELECT run.id, run.version_id, run.customer_id, run.cause, run.occurred_at, run.step,
           run.awaited, run.awaited_about, run.arrived_at,
           due.id AS due_id, due.due_at, due.facts
      FROM unnest(%(ids)s::bigint[], %(claim_ends)s::timestamptz[]) AS claim (id, claimed_until)
      JOIN butler_due AS due ON due.id = claim.id AND due.claimed_until = claim.claimed_until
      JOIN butler_run AS run ON run.id = due.run_id
     WHERE due.done_at IS NULL
       AND run.status = 'waiting'
     ORDER BY run.id
       FOR UPDATE OF run, due
)
SELECT locked.id, locked.version_id, locked.customer_id, locked.cause::text, locked.occurred_at,
       locked.step, locked.due_id, locked.due_at, locked.facts::text,
       locked.arrived_at IS NOT NULL OR (locked.awaited <> '' AND EXISTS (
           SELECT
             FROM customers_customer AS record
             JOIN customers_customer AS log
               ON coalesce(log.canonical_id, log.id) = coalesce(record.canonical_id, record.id)
             JOIN customers_event AS event
               ON event.customer_id = log.id
              -- Older events were stored long before the run.
              AND event.version > log.version - 1000
            WHERE record.id = locked.customer_id
              AND event.name = locked.awaited
              AND locked.awaited_about IN ('', event.about)
              AND event.occurred_at >= locked.occurred_at
              AND NOT EXISTS (
                  SELECT
                    FROM customers_refiledevent AS refiled
                   WHERE refiled.customer_id = event.customer_id
                     AND refiled.version = event.version)
            UNION ALL
           SELECT
             FROM customers_customer AS record
             JOIN customers_customer AS filing
               ON coalesce(filing.canonical_id, filing.id)
                  = coalesce(record.canonical_id, record.id)
             JOIN customers_refiledevent AS refiled ON refiled.record_id = filing.id
             JOIN customers_event AS event
               ON event.customer_id = refiled.customer_id AND event.version = refiled.version
            WHERE record.id = locked.customer_id
              AND event.name = locked.awaited
              AND locked.awaited_about IN ('', event.about)
              AND event.occurred_at >= locked.occurred_at)),
       EXISTS (
           SELECT
             FROM butler_message AS message
            WHERE message.run_id = locked.id
              AND (message.seen_at IS NOT NULL OR message.read_at IS NOT NULL))
  FROM locked
 ORDER BY locked.id
