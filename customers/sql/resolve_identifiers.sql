-- Find the identifiers of a batch and lock the records they belong to, in the order of the
-- records' ids: two batches that meet wait for each other and cannot deadlock.
--
-- kinds, values, trusts  text[], text[], smallint[]  distinct identifiers, already normalized
-- returns one row per identifier that is known or blocked: its id (null: only blocked), the
-- record it files under, the live record it belongs to with its version, and whether that
-- answer went stale while we waited for the lock (then: look again)

WITH wanted AS MATERIALIZED (
    SELECT *
      FROM unnest(%(kinds)s::text[], %(values)s::text[], %(trusts)s::smallint[])
           AS wanted (kind, value, trust)
), found AS MATERIALIZED (
    SELECT identifier.id, identifier.kind, identifier.value, identifier.trust,
           identifier.record_id, identifier.customer_id, customer.regrouped
      FROM wanted
      JOIN customers_identifier AS identifier USING (kind, value, trust)
      LEFT JOIN customers_customer AS customer ON customer.id = identifier.customer_id
), locked AS MATERIALIZED (
    SELECT id, version, regrouped
      FROM customers_customer
     WHERE id = ANY (ARRAY(SELECT DISTINCT customer_id FROM found))
     ORDER BY id
       FOR NO KEY UPDATE
)
SELECT found.id, wanted.kind, wanted.value, wanted.trust, found.record_id,
       found.customer_id, locked.version,
       COALESCE(locked.regrouped <> found.regrouped, false) AS is_stale,
       EXISTS (SELECT FROM customers_blockedvalue AS blocked
                WHERE blocked.kind = wanted.kind AND blocked.value = wanted.value)
           AS is_blocked
  FROM wanted
  LEFT JOIN found USING (kind, value, trust)
  LEFT JOIN locked ON locked.id = found.customer_id
 WHERE found.id IS NOT NULL
    OR EXISTS (SELECT FROM customers_blockedvalue AS blocked
                WHERE blocked.kind = wanted.kind AND blocked.value = wanted.value)
