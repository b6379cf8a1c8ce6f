-- Find the earliest time that the search for one page of a timeline reaches. In each log, count events
-- back from the position; of the times at which the counts end, return the latest one.
--
-- logs           uuid[]
-- before_moment  timestamptz  the position
-- events         int          the maximum number of events of one log
-- returns one row; null if no log has that many events

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
