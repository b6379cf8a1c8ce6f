-- Lock the runs that these due rows are about, as long as the claims on them are the given
-- ones, and look up what each may be waiting for. What a run awaits is on the log, too: an
-- event that was stored before the run, or while it began to wait, found nobody waiting.
--
-- Locks runs in the order of their ids, and their due rows after them, as signal_waiting_runs.sql does.
--
-- ids     bigint[]       due rows
-- untils  timestamptz[]  the ends of their claims
-- returns one row a run that still waits

WITH held AS MATERIALIZED (
    SELECT run.id, run.version_id, run.customer_id, run.cause, run.occurred_at, run.step,
           run.awaited, run.awaited_about, run.arrived_at,
           due.id AS due_id, due.due_at, due.facts
      FROM unnest(%(ids)s::bigint[], %(untils)s::timestamptz[]) AS claim (id, until)
      JOIN butler_due AS due ON due.id = claim.id AND due.claimed_until = claim.until
      JOIN butler_run AS run ON run.id = due.run_id
     WHERE due.done_at IS NULL
       AND run.status = 'waiting'
     ORDER BY run.id
       FOR UPDATE OF run, due
)
SELECT held.id, held.version_id, held.customer_id, held.cause::text, held.occurred_at, held.step,
       held.due_id, held.due_at, held.facts::text,
       held.arrived_at IS NOT NULL OR (held.awaited <> '' AND EXISTS (
           SELECT
             FROM customers_customer AS record
             JOIN customers_customer AS log
               ON coalesce(log.canonical_id, log.id) = coalesce(record.canonical_id, record.id)
             JOIN customers_event AS event
               ON event.customer_id = log.id
              -- What is further back than this was there long before the run.
              AND event.version > log.version - 1000
            WHERE record.id = held.customer_id
              AND event.name = held.awaited
              AND held.awaited_about IN ('', event.about)
              AND event.occurred_at >= held.occurred_at)),
       EXISTS (
           SELECT
             FROM butler_message AS message
            WHERE message.run_id = held.id
              AND (message.seen_at IS NOT NULL OR message.read_at IS NOT NULL))
  FROM held
 ORDER BY held.id
