-- Find the logs with events of a customer, the live record's own log first. A log "elsewhere"
-- belongs to another customer, and got events of this customer while the two were merged.
--
-- id  uuid
-- returns (log, is_elsewhere); no rows if the record does not exist

WITH live AS MATERIALIZED (
    SELECT coalesce(canonical_id, id) AS id FROM customers_customer WHERE id = %(id)s
), own AS MATERIALIZED (
    SELECT id, 0 AS rank FROM live
     UNION ALL
    SELECT id, 1 FROM customers_customer WHERE canonical_id = (SELECT id FROM live)
)
SELECT id, false AS is_elsewhere, rank FROM own
 UNION ALL
SELECT DISTINCT merged_into_id, true, 2
  FROM customers_merge
 WHERE record_id IN (SELECT id FROM own)
   AND undone_at IS NOT NULL
   AND merged_into_id NOT IN (SELECT id FROM own)
 ORDER BY rank, id
