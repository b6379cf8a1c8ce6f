-- Read a whole record as one JSON text, in one statement: all facts in it are of its version. It does
-- not read the log.
--
-- Two sources can have the same number, so a number is shown with its source. The trait `email` is the
-- preferred address: a source may name another one that is pending, or that a person took off.
--
-- id     uuid  the record, or a record that was merged into it
-- today  date  for the next visit
-- returns one row; no row if the record does not exist
--
-- customers.queries.record replaces the comments with conditions, if a session opens only a
-- part of the record.

WITH customer AS (
    SELECT live.*
      FROM customers_customer AS record
      JOIN customers_customer AS live ON live.id = coalesce(record.canonical_id, record.id)
     WHERE record.id = %(id)s
) /*subjects*/, recent_order AS MATERIALIZED (
    SELECT number, status, channel, currency, total::text AS total, is_total_of_lines, visit_date,
           visit_time, party, lines, details, requested_changes, requests, refunds, doubts,
           evidence = 2 AS is_verified, placed_at, changed_at,
           changed_by, version
      FROM customers_order
     WHERE customer_id = (SELECT id FROM customer) /*order*/
     ORDER BY placed_at DESC, number
     LIMIT 50
)
SELECT json_build_object(
    'id', customer.id,
    'version', customer.version,
    'created_at', customer.created_at,
    'last_seen_at', customer.last_seen_at,
    'identifiers', (
        SELECT coalesce(json_agg(identifier ORDER BY is_verified DESC, kind, value, source), '[]')
          FROM (SELECT kind, bool_or(evidence = 2) AS is_verified, bool_or(is_shared) AS is_shared,
                       CASE max(CASE evidence WHEN 1 THEN 1 ELSE coalesce(best_evidence, 30) END)
                            WHEN 1 THEN 'claimed' WHEN 20 THEN 'noted' WHEN 30 THEN 'stated'
                            WHEN 40 THEN 'opened' ELSE 'confirmed' END AS evidence,
                       min(first_seen_at) AS first_seen_at, shown_value AS value,
                       CASE WHEN source_id IS NOT NULL
                            THEN (SELECT name FROM customers_source WHERE id = source_id)
                       END AS source
                  FROM (SELECT kind, evidence, best_evidence, is_shared, first_seen_at,
                               CASE WHEN slash > 1 AND kind <> 'order'
                                    THEN left(value, slash - 1)::bigint END AS source_id,
                               substring(value, slash + 1) AS shown_value
                          FROM (SELECT *, CASE WHEN kind IN ('order', 'user_id')
                                                 OR kind LIKE 'external:%%'
                                               THEN strpos(value, '/') ELSE 0 END AS slash
                                  FROM customers_identifier
                                 WHERE customer_id = customer.id /*identifier*/
                                 ORDER BY evidence DESC, kind, value
                                 LIMIT 500) AS numbered) AS stored_identifier
                 GROUP BY kind, source_id, shown_value) AS identifier),
    'traits', (
        SELECT coalesce(json_object_agg(trait.name, json_build_object(
                   'value', coalesce(
                       (SELECT to_jsonb(value)
                          FROM customers_identifier
                         WHERE trait.name = 'email' AND customer_id = customer.id
                           AND kind = 'email' AND evidence = 2 AND erasure_id IS NULL /*identifier*/
                         ORDER BY preferred_at DESC NULLS LAST,
                                  (trait.value = to_jsonb(value)) DESC NULLS LAST, id
                         LIMIT 1), trait.value),
                   'is_verified', trait.evidence = 2,
                   'source', source.name, 'occurred_at', trait.occurred_at)
                   ORDER BY trait.name), '{}')
          FROM /*trait*/ customers_trait AS trait
          LEFT JOIN customers_source AS source ON source.id = trait.source_id
         WHERE trait.customer_id = customer.id AND trait.value IS NOT NULL),
    'orders', (
        SELECT coalesce(json_agg(recent_order ORDER BY placed_at DESC, number), '[]')
          FROM recent_order),
    'next_visit', (
        SELECT row_to_json(visit)
          FROM (SELECT number, visit_date, visit_time, status
                  FROM customers_order
                 WHERE customer_id = customer.id /*order*/
                   AND evidence = 2
                   AND visit_date >= %(today)s
                   AND status IN ('placed', 'amended', 'partly_refunded')
                 ORDER BY visit_date, visit_time NULLS LAST, number
                 LIMIT 1) AS visit),
    'party', (
        SELECT coalesce(json_agg(member ORDER BY role DESC, reference), '[]')
          FROM (SELECT reference, name, role, birth_date, guardian, details, version
                  FROM customers_partymember
                 WHERE customer_id = customer.id /*member*/) AS member),
    'interactions', (
        SELECT coalesce(json_agg(interaction ORDER BY started_at DESC, reference), '[]')
          FROM (SELECT reference, kind, channel, direction, status, staff, started_at, answered_at,
                       ended_at, details, version
                  FROM customers_interaction
                 WHERE customer_id = customer.id /*interaction*/
                 ORDER BY started_at DESC, reference
                 LIMIT 20) AS interaction),
    'members', (
        SELECT coalesce(json_agg(json_build_object(
                   'id', id, 'kept', merged_into_id, 'joined', record_id, 'reason', reason,
                   'actor', actor, 'joined_at', merged_at)
                   ORDER BY merged_at, id), '[]')
          FROM customers_merge
         WHERE merged_into_id = customer.id AND undone_at IS NULL /*merge*/),
    'open_reviews', (
        SELECT count(*)
          FROM customers_review
         WHERE status = 'open' AND customer.id IN (first_id, second_id)))::text
  FROM customer
