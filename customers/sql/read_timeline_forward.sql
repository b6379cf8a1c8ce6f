-- Read one page of a timeline, oldest first: the next events of each log from its bound on,
-- merged by the time of recording. Within a log the version decides, because writers read the clock
-- before they wait for the lock of the log. Events that were filed on another record later come
-- from its index, so that a log with one such event is not read as a whole.
--
-- logs, bounds  uuid[], bigint[]  logs, and the version from which each is read
-- filed_logs    uuid[]            the logs with more than single events of this customer
-- own           uuid[]            records of this customer; only their events are returned
-- live_id, at_version             the own log is read up to this version
-- limit         int
-- The caller replaces "conditions" with its filters, for the record that the event is filed on.

SELECT event.customer_id, event.version, event.kind, event.name, event.about,
       event.evidence = 2,
       -- A customer token proved the only verified identifier of a claim (docs/adr/0017).
       event.evidence = 1 AND EXISTS (
           SELECT
             FROM customers_identifier AS proved
            WHERE proved.id = ANY (event.identifier_ids)
              AND proved.evidence = 2),
       coalesce(source.name, ''), coalesce(source.channel, ''), event.actor,
       event.message_id, event.occurred_at, event.received_at, event.recorded_at,
       event.body::text
  FROM unnest(%(logs)s::uuid[], %(bounds)s::bigint[]) AS log (id, bound)
 CROSS JOIN LATERAL (
       SELECT page.*, max(recorded_at) OVER (ORDER BY version) AS merge_time
         FROM ((SELECT event.*
                  FROM customers_event AS event
                 WHERE event.customer_id = log.id
                   AND log.id = ANY (%(filed_logs)s::uuid[])
                   AND event.version >= log.bound
                   AND (event.customer_id <> %(live_id)s::uuid OR event.version <= %(at_version)s)
                   AND coalesce(event.origin_id, event.customer_id) = ANY (%(own)s::uuid[])
                   AND NOT EXISTS (
                       SELECT
                         FROM customers_refiledevent AS refiled
                        WHERE refiled.customer_id = event.customer_id
                          AND refiled.version = event.version)
                   /* conditions of coalesce(event.origin_id, event.customer_id) */
                 ORDER BY event.version
                 LIMIT %(limit)s)
                UNION ALL
               (SELECT event.*
                  FROM customers_refiledevent AS refiled
                  JOIN customers_event AS event
                    ON event.customer_id = refiled.customer_id AND event.version = refiled.version
                 WHERE refiled.record_id = ANY (%(own)s::uuid[])
                   AND refiled.customer_id = log.id
                   AND event.version >= log.bound
                   AND (event.customer_id <> %(live_id)s::uuid OR event.version <= %(at_version)s)
                   /* conditions of refiled.record_id */
                 ORDER BY event.version
                 LIMIT %(limit)s)) AS page
       ) AS event
  LEFT JOIN customers_source AS source ON source.id = event.source_id
 ORDER BY event.merge_time, event.customer_id DESC, event.version
 LIMIT %(limit)s
