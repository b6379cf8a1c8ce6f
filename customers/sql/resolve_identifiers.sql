-- Find the identifiers of a batch and lock their records, in the order of the ids of the records,
-- so that two batches with the same records cannot deadlock.
--
-- keys  jsonb  [[kind, value, evidence, digest in hex, digest of the equal numbers of the space or
--                null], ...], distinct and normalized
-- records  uuid[]  further records to lock
-- returns a row for each known identifier and each of its periods: its id, the record it files
-- under, the live record it belongs to with its version, and its flags; is_stale tells that the row
-- changed while the statement waited for the lock (the caller then tries again). A row without id
-- is a tombstone of the identifier, if it has an erasure, or else a blocked value. A tombstone of an
-- equal number does not concern a number that another customer has. The last columns are the
-- grouping version of the record, and `cache_state`: a number that differs after a restart of the
-- server, on another server, and with other blocked values. Each further record has a row without
-- kind, and with its id as the value.

WITH requested AS MATERIALIZED (
    SELECT key ->> 0 AS kind, key ->> 1 AS value, (key ->> 2)::smallint AS evidence,
           decode(key ->> 3, 'hex') AS digest, decode(key ->> 4, 'hex') AS equal_digest
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
), cache AS MATERIALIZED (
    SELECT hashint8extended((extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint,
                            'customers_customer'::regclass::oid::bigint)
           # COALESCE(bit_xor(hashtextextended(kind || ' ' || value, 0)), 0) AS state
      FROM customers_blockedvalue
), locked AS MATERIALIZED (
    SELECT id, version, grouping_version
      FROM customers_customer
     WHERE id = ANY (ARRAY(SELECT customer_id FROM stored) || %(records)s::uuid[])
     ORDER BY id
       FOR NO KEY UPDATE
)
SELECT stored.kind, stored.value, stored.evidence, stored.period,
       stored.id, stored.record_id, stored.customer_id, COALESCE(locked.version, 0),
       stored.is_shared, stored.is_placeholder, stored.period_starts_at, stored.is_proved,
       locked.grouping_version <> stored.grouping_version, stored.erasure_id, NULL::text[],
       locked.grouping_version,
       (SELECT state FROM cache)
  FROM stored
  LEFT JOIN locked ON locked.id = stored.customer_id
 UNION ALL
SELECT NULL, id::text, NULL, NULL, NULL, NULL, NULL, version, NULL, NULL, NULL, NULL, NULL, NULL,
       NULL, grouping_version, (SELECT state FROM cache)
  FROM locked
 WHERE id = ANY (%(records)s::uuid[])
 UNION ALL
SELECT requested.kind, requested.value, requested.evidence, tombstone.period,
       NULL, NULL, NULL, NULL,
       NULL, NULL, tombstone.erased_at, NULL,
       NULL, tombstone.erasure_id, tombstone.refused, NULL, NULL
  FROM requested
  JOIN customers_tombstone AS tombstone USING (digest)
 UNION ALL
SELECT requested.kind, requested.value, requested.evidence, tombstone.period,
       NULL, NULL, NULL, NULL,
       NULL, NULL, tombstone.erased_at,
       EXISTS (SELECT
                 FROM customers_source AS source
                 JOIN customers_source AS sibling USING (space_id)
                 JOIN customers_identifier AS equal
                   ON equal.kind = requested.kind AND equal.evidence = requested.evidence
                  AND equal.value = sibling.id || '/'
                                    || substring(requested.value, strpos(requested.value, '/') + 1)
                WHERE source.id = split_part(requested.value, '/', 1)::bigint
                  AND equal.erasure_id IS NULL),
       NULL, tombstone.erasure_id, tombstone.refused, NULL, NULL
  FROM requested
  JOIN customers_tombstone AS tombstone ON tombstone.digest = requested.equal_digest
 WHERE NOT EXISTS (SELECT
                     FROM stored
                    WHERE (stored.kind, stored.value, stored.evidence)
                          = (requested.kind, requested.value, requested.evidence)
                      AND stored.period < tombstone.period
                      AND stored.erasure_id IS NULL)
 UNION ALL
SELECT requested.kind, requested.value, requested.evidence, 0,
       NULL, NULL, NULL, NULL,
       NULL, NULL, NULL, NULL,
       NULL, NULL, NULL, NULL, NULL
  FROM requested
  JOIN customers_blockedvalue AS blocked
    ON blocked.kind = requested.kind
   AND blocked.value = CASE WHEN requested.kind IN ('order', 'user_id')
                              OR requested.kind LIKE 'external:%%'
                            THEN substring(requested.value, strpos(requested.value, '/') + 1)
                            ELSE requested.value END
