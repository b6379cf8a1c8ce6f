-- Find the time down to which one page of a timeline is searched: that of the latest event, of any of
-- the logs, that has so many later events of its log below the position.
--
-- logs           uuid[]
-- before_moment  timestamptz  the position
-- events         int
-- returns one row; null if no log has so many events

SELECT max(bound.occurred_at)
  FROM unnest(%(logs)s::uuid[]) AS log (id)
 CROSS JOIN LATERAL (
       SELECT event.occurred_at
         FROM customers_event AS event
        WHERE event.customer_id = log.id
          AND event.occurred_at <= %(before_moment)s::timestamptz
        ORDER BY event.occurred_at DESC
       OFFSET %(events)s
        LIMIT 1) AS bound
