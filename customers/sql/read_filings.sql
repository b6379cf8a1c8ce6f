-- Read the events at these places of logs, the record that each was written with, the record that
-- it is filed on now, and the one that it was filed on before its last re-filing.
--
-- logs, versions  uuid[], bigint[]
-- returns (log, version, kind, written record, its live record, current record, its live record,
--         previous record, its live record); no row for a place without an event

-- The places are resolved before any record is read. A plan that was made for empty tables would
-- otherwise combine all records with all records.
WITH filed AS MATERIALIZED (
    SELECT event.customer_id, event.version, event.kind,
           coalesce(event.origin_id, event.customer_id) AS written_id,
           refiled.record_id AS refiled_id,
           (refiled.earlier -> -1 ->> 'record_id')::uuid AS earlier_id
      FROM unnest(%(logs)s::uuid[], %(versions)s::bigint[]) AS place (log, version)
      JOIN customers_event AS event
        ON event.customer_id = place.log AND event.version = place.version
      LEFT JOIN customers_refiledevent AS refiled
        ON refiled.customer_id = event.customer_id AND refiled.version = event.version
), placed AS MATERIALIZED (
    SELECT customer_id, version, kind, written_id,
           coalesce(refiled_id, written_id) AS current_id,
           coalesce(earlier_id, written_id) AS previous_id
      FROM filed
)
SELECT placed.customer_id, placed.version, placed.kind,
       written.id, coalesce(written.canonical_id, written.id),
       current.id, coalesce(current.canonical_id, current.id),
       previous.id, coalesce(previous.canonical_id, previous.id)
  FROM placed
  JOIN customers_customer AS written ON written.id = placed.written_id
  JOIN customers_customer AS current ON current.id = placed.current_id
  JOIN customers_customer AS previous ON previous.id = placed.previous_id
