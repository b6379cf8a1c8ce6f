-- Read the events about a call on a log, with the identifier that staff or a proof filed each on.
--
-- log    uuid
-- about  text  such as call:c1
-- returns (version, identifier or null, the time of the filing or null), by version

SELECT event.version, filed_on.id, refiled.refiled_at
  FROM customers_event AS event
  LEFT JOIN customers_refiledevent AS refiled
    ON refiled.customer_id = event.customer_id AND refiled.version = event.version
  LEFT JOIN customers_identifier AS filed_on ON filed_on.record_id = refiled.record_id
 WHERE event.customer_id = %(log)s AND event.about <> '' AND event.about = %(about)s
 ORDER BY event.version
