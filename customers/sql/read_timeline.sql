-- One page of a timeline, newest first: of each log the next events below its bound, then the
-- logs merged by when events were recorded. Within a log versions decide, because two writers
-- read the clock before they wait for the log.
--
-- logs, bounds  uuid[], bigint[]  of each log, versions below this one
-- own           uuid[]            records that are this customer's; their events count
-- live_id, at_version             the own log is shown up to this version
-- limit         int
-- The caller puts its filters where it says conditions.

SELECT event.customer_id, event.version, event.kind, event.name, event.about,
       event.evidence = 2, coalesce(source.name, ''), coalesce(source.channel, ''), event.actor,
       event.message_id, event.occurred_at, event.received_at, event.recorded_at,
       event.body::text
  FROM unnest(%(logs)s::uuid[], %(bounds)s::bigint[]) AS log (id, bound)
 CROSS JOIN LATERAL (
       SELECT page.*, min(recorded_at) OVER (ORDER BY version DESC) AS merge_time
         FROM (SELECT event.*
                 FROM customers_event AS event
                WHERE event.customer_id = log.id
                  AND event.version < log.bound
                  AND (event.customer_id <> %(live_id)s::uuid OR event.version <= %(at_version)s)
                  AND coalesce(event.origin_id, event.customer_id) = ANY (%(own)s::uuid[])
                  /* conditions */
                ORDER BY event.version DESC
                LIMIT %(limit)s) AS page
       ) AS event
  LEFT JOIN customers_source AS source ON source.id = event.source_id
 ORDER BY event.merge_time DESC, event.customer_id, event.version DESC
 LIMIT %(limit)s
