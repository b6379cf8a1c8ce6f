-- Read one page of a timeline by the time at which the events occurred, the latest first: the events
-- before a position, of all logs of the customer. The index event_by_time serves each log. Re-filed
-- events come from the index of re-filed events.
--
-- logs          uuid[]  all logs
-- filed_logs    uuid[]  the logs with more than single events of this customer
-- own           uuid[]  records of this customer; only their events are returned
-- before_moment, before_version, before_log  the position; the page starts below it
-- search_end    timestamptz  the earliest time of the page; null for no limit
-- limit         int
-- The caller replaces "conditions" with its filters, for the record that the event is filed on.

WITH page AS MATERIALIZED (
    SELECT candidate.customer_id, candidate.version
      FROM unnest(%(logs)s::uuid[]) AS log (id)
     CROSS JOIN LATERAL (
           (SELECT event.customer_id, event.version, event.occurred_at
              FROM customers_event AS event
             WHERE event.customer_id = log.id
               AND log.id = ANY (%(filed_logs)s::uuid[])
               AND (event.occurred_at, event.version, event.customer_id)
                   < (%(before_moment)s::timestamptz, %(before_version)s::bigint, %(before_log)s::uuid)
               AND event.occurred_at >= coalesce(%(search_end)s::timestamptz, '-infinity')
               AND coalesce(event.origin_id, event.customer_id) = ANY (%(own)s::uuid[])
               AND NOT EXISTS (
                   SELECT
                     FROM customers_refiledevent AS refiled
                    WHERE refiled.customer_id = event.customer_id
                      AND refiled.version = event.version)
               /* conditions of coalesce(event.origin_id, event.customer_id) */
             ORDER BY event.occurred_at DESC, event.version DESC
             LIMIT %(limit)s)
            UNION ALL
           (SELECT event.customer_id, event.version, event.occurred_at
              FROM customers_refiledevent AS refiled
              JOIN customers_event AS event
                ON event.customer_id = refiled.customer_id AND event.version = refiled.version
             WHERE refiled.record_id = ANY (%(own)s::uuid[])
               AND refiled.customer_id = log.id
               AND (event.occurred_at, event.version, event.customer_id)
                   < (%(before_moment)s::timestamptz, %(before_version)s::bigint, %(before_log)s::uuid)
               AND event.occurred_at >= coalesce(%(search_end)s::timestamptz, '-infinity')
               /* conditions of refiled.record_id */
             ORDER BY event.occurred_at DESC, event.version DESC
             LIMIT %(limit)s)) AS candidate
     ORDER BY candidate.occurred_at DESC, candidate.version DESC, candidate.customer_id DESC
     LIMIT %(limit)s
)
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
  FROM page
  JOIN customers_event AS event
    ON event.customer_id = page.customer_id AND event.version = page.version
  LEFT JOIN customers_source AS source ON source.id = event.source_id
 ORDER BY event.occurred_at DESC, event.version DESC, event.customer_id DESC
