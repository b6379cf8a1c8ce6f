-- Read the events at these places of logs, the record that each was written with, the record that
-- it is filed on now, and the one that it was filed on before its last re-filing.
--
-- logs, versions  uuid[], bigint[]
-- returns (log, version, kind, written record, its live record, current record, its live record,
--         previous record, its live record); no row for a place without an event

SELECT event.customer_id, event.version, event.kind,
       written.id, coalesce(written.canonical_id, written.id),
       current.id, coalesce(current.canonical_id, current.id),
       previous.id, coalesce(previous.canonical_id, previous.id)
  FROM unnest(%(logs)s::uuid[], %(versions)s::bigint[]) AS place (log, version)
  JOIN customers_event AS event
    ON event.customer_id = place.log AND event.version = place.version
  JOIN customers_customer AS written
    ON written.id = coalesce(event.origin_id, event.customer_id)
  LEFT JOIN customers_refiledevent AS refiled
    ON refiled.customer_id = event.customer_id AND refiled.version = event.version
  JOIN customers_customer AS current
    ON current.id = coalesce(refiled.record_id, written.id)
  JOIN customers_customer AS previous
    ON previous.id = coalesce((refiled.earlier -> -1 ->> 'record_id')::uuid, written.id)
