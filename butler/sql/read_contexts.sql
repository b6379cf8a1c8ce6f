-- The values for conditions and texts, for many runs in one statement: the current record of the
-- customer, and the subject of each run. Events that were filed on another customer later are left
-- out, so that no text contains them.
--
-- runs   jsonb  [{run_id, customer_id, about, log, version, topic,
--                 gathered [{log, version}, ...] or null}, ...]
-- today  date   for the next visit, if the run has no order
-- returns (run id, live record, its version, context as JSON text); no row if the record does
--         not exist

SELECT run.run_id, live.id, live.version, json_build_object(
    'traits', (
        SELECT json_object_agg(name, value ORDER BY name)
          FROM customers_trait
         WHERE customer_id = live.id
           AND value IS NOT NULL),
    'card', (
        SELECT min(value)
          FROM customers_identifier
         WHERE customer_id = live.id
           AND kind = 'card'
           AND evidence = 2
           AND NOT is_shared),
    'zone', (
        SELECT setting->>'value'
          FROM customers_consentstate AS consent_state,
               jsonb_array_elements(consent_state.state->'settings') AS setting
         WHERE consent_state.customer_id = live.id
           AND setting->>'name' = 'zone'
         LIMIT 1),
    'order', (
        SELECT json_build_object(
                   'number', number, 'name', details->>'name', 'status', status,
                   'visit_date', visit_date, 'visit_time', to_char(visit_time, 'HH24:MI'),
                   'total', total::text, 'currency', currency, 'lines', lines,
                   'party', party, 'evidence', evidence)
          FROM customers_order
         WHERE customer_id = live.id
           AND CASE WHEN run.about LIKE 'order:%%'
                    THEN substr(run.about, 7) IN (number, customers_sent_number(number))
                    ELSE evidence = 2 AND status IN ('placed', 'amended', 'partly_refunded')
                         AND visit_date >= %(today)s::date END
         -- Of two orders with one number, the event is about that of its source.
         ORDER BY run.about LIKE 'order:%%' AND source_id = (
                      SELECT event.source_id FROM customers_event AS event
                       WHERE event.customer_id = run.log AND event.version = run.version)
                  DESC NULLS LAST, visit_date, visit_time NULLS LAST, number
         LIMIT 1),
    'member', (
        SELECT json_build_object('reference', reference, 'name', name, 'role', role,
                                 'birth_date', birth_date)
          FROM customers_partymember
         WHERE customer_id = live.id
           AND run.about LIKE 'member:%%'
           AND reference = substr(run.about, 8)),
    'request', (
        SELECT json_build_object('reference', reference, 'subject', subject,
                                 'wanted_at', wanted_at, 'status', status)
          FROM customers_request
         WHERE customer_id = live.id
           AND run.about LIKE 'request:%%'
           AND reference = substr(run.about, 9)),
    'event', (
        SELECT json_build_object('name', name, 'about', about, 'occurred_at', occurred_at,
                                 'properties', coalesce(body->'properties', body->'data'))
          FROM customers_event
         WHERE customer_id = run.log
           AND version = run.version
           AND NOT EXISTS (
               SELECT
                 FROM customers_refiledevent AS refiled
                 JOIN customers_customer AS filing ON filing.id = refiled.record_id
                WHERE refiled.customer_id = run.log
                  AND refiled.version = run.version
                  AND coalesce(filing.canonical_id, filing.id) <> live.id)),
    'gathered', CASE WHEN run.gathered IS NOT NULL THEN (
        SELECT json_agg(json_build_object(
                   'name', event.name, 'about', event.about, 'occurred_at', event.occurred_at,
                   'properties', coalesce(event.body->'properties', event.body->'data'))
                   ORDER BY event.occurred_at,
                            customers_arrival_number(event.arrival, event.received_at, event.version),
                            event.message_key)
          FROM jsonb_to_recordset(run.gathered) AS reference (log uuid, version bigint)
          JOIN customers_event AS event
            ON event.customer_id = reference.log
           AND event.version = reference.version
         WHERE NOT EXISTS (
               SELECT
                 FROM customers_refiledevent AS refiled
                 JOIN customers_customer AS filing ON filing.id = refiled.record_id
                WHERE refiled.customer_id = reference.log
                  AND refiled.version = reference.version
                  AND coalesce(filing.canonical_id, filing.id) <> live.id)) END,
    'topic', (
        SELECT json_build_object('key', key, 'status', status, 'facts', facts,
                                 'serial', serial)
          FROM butler_topicstatus
         WHERE key = run.topic)
    )::text
  FROM jsonb_to_recordset(%(runs)s::jsonb) AS run (
       run_id uuid, customer_id uuid, about text, log uuid, version bigint, topic text, gathered jsonb)
  JOIN customers_customer AS record ON record.id = run.customer_id
  JOIN customers_customer AS live ON live.id = coalesce(record.canonical_id, record.id)
