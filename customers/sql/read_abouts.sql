-- Read the subjects of events.
--
-- logs, versions  uuid[], bigint[]  each pair is the place of one event
-- returns (log, version, about)

SELECT event.customer_id, event.version, event.about
  FROM unnest(%(logs)s::uuid[], %(versions)s::bigint[]) AS place (log, version)
  JOIN customers_event AS event
    ON event.customer_id = place.log AND event.version = place.version
