-- Read the links between two records, the strongest first.
--
-- first   uuid  a record: a live one, or one that was merged into another
-- second  uuid  a live record; null means all records but that of the first one
-- limit  int
-- returns (kind, evidence, state, name of the source, kind, value and is_placeholder of both ends)

SELECT link.kind, link.evidence, link.state, source.name,
       near.kind, near.value, near.is_placeholder, far.kind, far.value, far.is_placeholder
  FROM customers_identifier AS near
 CROSS JOIN LATERAL (
       SELECT second_id AS far_id, id, kind, evidence, state, source_id, occurred_at, arrival
         FROM customers_link WHERE first_id = near.id
        UNION ALL
       SELECT first_id, id, kind, evidence, state, source_id, occurred_at, arrival
         FROM customers_link WHERE second_id = near.id) AS link
  JOIN customers_identifier AS far ON far.id = link.far_id
  JOIN customers_source AS source ON source.id = link.source_id
 WHERE (near.customer_id = %(first)s OR near.record_id = %(first)s)
   AND (far.customer_id = %(second)s
        OR %(second)s::uuid IS NULL AND far.customer_id IS DISTINCT FROM near.customer_id)
   AND far.record_id IS DISTINCT FROM %(first)s
 ORDER BY link.evidence DESC, link.kind = 'equal', link.occurred_at, link.arrival, link.id
 LIMIT %(limit)s
