-- Read the version of a record, for a reader who already has a copy.
--
-- id     uuid
-- today  date
-- zone   text  the time zone of `today`
-- returns the live record's id, its version, and whether a copy of that version is still current:
-- the next visit in a copy may have passed since the last event

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
