-- Find the identifiers of a batch and lock the records they belong to, in the order of the
-- records' ids: two batches that meet wait for each other and cannot deadlock.
--
-- wanted  jsonb  [[kind, value, evidence], ...], distinct and normalized
-- returns a row per identifier that is known: its id, the record it files under, the live
-- record it belongs to with its version, whether it is shared, and whether the answer went
-- stale while we waited for the lock (then: look again); a row without id is a blocked value

WITH wanted AS MATERIALIZED (
    SELECT one ->> 0 AS kind, one ->> 1 AS value, (one ->> 2)::smallint AS evidence
      FROM jsonb_array_elements(%(wanted)s::jsonb) AS one
), found AS MATERIALIZED (
    SELECT identifier.id, identifier.kind, identifier.value, identifier.evidence,
           identifier.record_id, identifier.customer_id, identifier.is_shared,
           customer.grouping_version
      FROM wanted
      JOIN customers_identifier AS identifier USING (kind, value, evidence)
      LEFT JOIN customers_customer AS customer ON customer.id = identifier.customer_id
), locked AS MATERIALIZED (
    SELECT id, version, grouping_version
      FROM customers_customer
     WHERE id = ANY (ARRAY(SELECT customer_id FROM found))
     ORDER BY id
       FOR NO KEY UPDATE
)
SELECT found.id, found.kind, found.value, found.evidence, found.record_id, found.customer_id,
       locked.version, found.is_shared, locked.grouping_version <> found.grouping_version
  FROM found
  LEFT JOIN locked ON locked.id = found.customer_id
 UNION ALL
SELECT NULL, wanted.kind, wanted.value, wanted.evidence, NULL, NULL, NULL, NULL, NULL
  FROM wanted
  JOIN customers_blockedvalue AS blocked
    ON blocked.kind = wanted.kind
   AND blocked.value = CASE WHEN wanted.kind = 'order'
                            THEN substring(wanted.value, strpos(wanted.value, '/') + 1)
                            ELSE wanted.value END
