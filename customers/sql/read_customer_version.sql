-- The version of a record, for a reader who has a copy of one already.
--
-- id, today; zone  text  in which it is that day
-- returns the live record's id, its version, and whether nothing in it depends on a day
-- that passed since its last event: the next visit of yesterday is not the one of today

SELECT live.id, live.version,
       NOT EXISTS (
           SELECT
             FROM customers_order AS visit
            WHERE visit.customer_id = live.id
              AND visit.visit_date < %(today)s
              AND visit.visit_date >= (
                  SELECT (event.recorded_at AT TIME ZONE %(zone)s)::date
                    FROM customers_event AS event
                   WHERE event.customer_id = live.id
                     AND event.version = live.version)) AS is_current
  FROM customers_customer AS record
  JOIN customers_customer AS live ON live.id = coalesce(record.canonical_id, record.id)
 WHERE record.id = %(id)s
