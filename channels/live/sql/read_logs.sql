-- Read what follows a version on several logs at once: one statement, whatever the number.
-- A log without news gives no row. Versions of one log come in order and without gaps.
--
-- customers  uuid[]    whose log
-- afters     bigint[]  after which version, one for each customer
-- page       int       at most so many events of each log
-- budget     int       bytes of a log after which no further event of it is added
--
-- is_ours is false for an event that was filed under a record which is no longer a part of
-- this one; its body stays here.

SELECT asked.customer_id::text,
       asked.after,
       event.version,
       event.kind,
       event.name,
       event.about,
       event.evidence,
       event.actor,
       event.message_id,
       event.occurred_at,
       event.recorded_at,
       source.channel,
       CASE WHEN belongs.here THEN event.body ELSE 'null' END AS body,
       belongs.here
  FROM unnest(%(customers)s::uuid[], %(afters)s::bigint[]) AS asked (customer_id, after)
 CROSS JOIN LATERAL (
       SELECT page.*,
              -- The size on disk, so that nothing large is unpacked only to be left out.
              sum(pg_column_size(page.body)) OVER (ORDER BY page.version)
              - pg_column_size(page.body) AS bytes_before
         FROM (SELECT *
                 FROM customers_event
                WHERE customer_id = asked.customer_id
                  AND version > asked.after
                ORDER BY version
                LIMIT %(page)s) AS page
       ) AS event
  JOIN customers_source AS source ON source.id = event.source_id
  LEFT JOIN customers_customer AS origin ON origin.id = event.origin_id
 CROSS JOIN LATERAL (
       SELECT event.origin_id IS NULL
              OR coalesce(origin.canonical_id, origin.id) = event.customer_id
       ) AS belongs (here)
 WHERE event.bytes_before < %(budget)s
 ORDER BY asked.customer_id, asked.after, event.version
