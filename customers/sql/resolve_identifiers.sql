-- Find the identifiers of a batch and lock their records, in the order of the ids of the records,
-- so that two batches with the same records cannot deadlock.
--
-- keys  jsonb  [[kind, value, evidence, digest in hex], ...], distinct and normalized
-- returns a row for each known identifier and each of its periods: its id, the record it files
-- under, the live record it belongs to with its version, and its flags; is_stale tells that the row
-- changed while the statement waited for the lock (the caller then tries again). A row without id
-- is a tombstone of the identifier, if it has an erasure, or else a blocked value.

WITH requested AS MATERIALIZED (
    SELECT key ->> 0 AS kind, key ->> 1 AS value, (key ->> 2)::smallint AS evidence,
           decode(key ->> 3, 'hex') AS digest
      FROM jsonb_array_elements(%(keys)s::jsonb) AS key
), stored AS MATERIALIZED (
    SELECT identifier.id, identifier.kind, identifier.value, identifier.evidence,
           identifier.period, identifier.period_starts_at, identifier.record_id,
           identifier.customer_id, identifier.is_shared, identifier.is_placeholder,
           identifier.proved_at IS NOT NULL AS is_proved, identifier.erasure_id,
           customer.grouping_version
      FROM requested
      JOIN customers_identifier AS identifier USING (kind, value, evidence)
      LEFT JOIN customers_customer AS customer ON customer.id = identifier.customer_id
), locked AS MATERIALIZED (
    SELECT id, version, grouping_version
      FROM customers_customer
     WHERE id = ANY (ARRAY(SELECT customer_id FROM stored))
     ORDER BY id
       FOR NO KEY UPDATE
)
SELECT stored.kind, stored.value, stored.evidence, stored.period,
       stored.id, stored.record_id, stored.customer_id, COALESCE(locked.version, 0),
       stored.is_shared, stored.is_placeholder, stored.period_starts_at, stored.is_proved,
       locked.grouping_version <> stored.grouping_version, stored.erasure_id, NULL::text[]
  FROM stored
  LEFT JOIN locked ON locked.id = stored.customer_id
 UNION ALL
SELECT requested.kind, requested.value, requested.evidence, tombstone.period,
       NULL, NULL, NULL, NULL,
       NULL, NULL, tombstone.erased_at, NULL,
       NULL, tombstone.erasure_id, tombstone.refused
  FROM requested
  JOIN customers_tombstone AS tombstone USING (digest)
 UNION ALL
SELECT requested.kind, requested.value, requested.evidence, 0,
       NULL, NULL, NULL, NULL,
       NULL, NULL, NULL, NULL,
       NULL, NULL, NULL
  FROM requested
  JOIN customers_blockedvalue AS blocked
    ON blocked.kind = requested.kind
   AND blocked.value = CASE WHEN requested.kind IN ('order', 'user_id')
                              OR requested.kind LIKE 'external:%%'
                            THEN substring(requested.value, strpos(requested.value, '/') + 1)
                            ELSE requested.value END
