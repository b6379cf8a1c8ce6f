-- Find the logs with events of a customer, the live record's own log first. A log "elsewhere"
-- belongs to another customer, and got events of this customer while the two were merged. On other
-- logs only single events are of this customer: they were filed on another record later.
--
-- id  uuid
-- returns (log, is_own, has_filed_events, rank); no rows if the record does not exist
--         has_filed_events: false if the log contains only single events of the customer

WITH live AS MATERIALIZED (
    SELECT coalesce(canonical_id, id) AS id FROM customers_customer WHERE id = %(id)s
), own AS MATERIALIZED (
    SELECT id, 0 AS rank FROM live
     UNION ALL
    SELECT id, 1 FROM customers_customer WHERE canonical_id = (SELECT id FROM live)
), elsewhere AS MATERIALIZED (
    SELECT DISTINCT merged_into_id AS id
      FROM customers_merge
     WHERE record_id IN (SELECT id FROM own)
       AND undone_at IS NOT NULL
       AND merged_into_id NOT IN (SELECT id FROM own)
)
SELECT id, true AS is_own, true AS has_filed_events, rank FROM own
 UNION ALL
SELECT id, false, true, 2 FROM elsewhere
 UNION ALL
SELECT DISTINCT customer_id, false, false, 3
  FROM customers_refiledevent
 WHERE record_id IN (SELECT id FROM own)
   AND customer_id NOT IN (SELECT id FROM own UNION ALL SELECT id FROM elsewhere)
 ORDER BY rank, id
