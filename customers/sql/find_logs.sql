-- The logs that hold a customer's events, the live record's own log first.
-- Elsewhere: a log of another customer, on which events of this one were written while the two
-- were one customer.
--
-- id  uuid
-- returns (log, is_elsewhere); none where there is no such record

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
