-- Read the names, subjects and keys of events.
--
-- logs, versions  uuid[], bigint[]  each pair is the place of one event
-- returns (log, version, name, about, message key)

SELECT event.customer_id, event.version, event.name, event.about, event.message_key
  FROM unnest(%(logs)s::uuid[], %(versions)s::bigint[]) AS place (log, version)
  JOIN customers_event AS event
    ON event.customer_id = place.log AND event.version = place.version
