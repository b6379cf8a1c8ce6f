-- Read the identifiers of a live record, with their evidence and their contested links. Evidence is
-- that of the strongest link that joins or attaches it. Without such a link, it is that of the events.
--
-- customer_id  uuid
-- limit        int   identifiers
-- link_limit   int   contested links of each identifier, the strongest first
-- returns      one row for each identifier: the columns of read_identifiers in
--              customers.queries.identity; contested is a JSON array of objects

SELECT identifier.id, identifier.kind,
       CASE WHEN numbered.has_source
            THEN substring(identifier.value, strpos(identifier.value, '/') + 1)
            ELSE identifier.value END,
       CASE WHEN numbered.has_source
            THEN (SELECT name FROM customers_source AS source
                   WHERE source.id::text = split_part(identifier.value, '/', 1)) END,
       CASE WHEN identifier.evidence = 1 THEN 1
            ELSE coalesce(acting.evidence, identifier.best_evidence, 30) END,
       CASE WHEN acting.is_joined THEN 'joined'
            WHEN acting.is_joined IS NULL AND (numbered.is_number OR identifier.kind = 'email')
            THEN 'joined' ELSE 'attached' END,
       identifier.is_shared, identifier.first_seen_at,
       (SELECT coalesce(json_agg(contested ORDER BY evidence DESC, occurred_at, link), '[]')
          FROM (SELECT link.id AS link, other.kind,
                       -- The value of the other side is only told if somebody proved the link.
                       CASE WHEN link.evidence >= 50 THEN
                            CASE WHEN other.kind = 'user_id' OR other.kind LIKE 'external:%%'
                                 THEN substring(other.value, strpos(other.value, '/') + 1)
                                 ELSE other.value END END AS value,
                       source.name AS source, link.evidence, link.occurred_at
                  FROM ((SELECT *, second_id AS other_id FROM customers_link
                          WHERE first_id = identifier.id AND state = 'contested'
                          ORDER BY evidence DESC, occurred_at, arrival LIMIT %(link_limit)s)
                         UNION ALL
                        (SELECT *, first_id FROM customers_link
                          WHERE second_id = identifier.id AND state = 'contested'
                          ORDER BY evidence DESC, occurred_at, arrival LIMIT %(link_limit)s)) AS link
                  JOIN customers_identifier AS other ON other.id = link.other_id
                  JOIN customers_source AS source ON source.id = link.source_id
                 ORDER BY link.evidence DESC, link.occurred_at, link.id
                 LIMIT %(link_limit)s) AS contested)::text
  FROM customers_identifier AS identifier
 CROSS JOIN LATERAL (
       SELECT identifier.kind = 'user_id' OR identifier.kind LIKE 'external:%%' AS is_number,
              identifier.kind IN ('user_id', 'order') OR identifier.kind LIKE 'external:%%'
              AS has_source
       ) AS numbered
 CROSS JOIN LATERAL (
       SELECT max(evidence) AS evidence, bool_or(state = 'joined') AS is_joined
         FROM (SELECT evidence, state FROM customers_link
                WHERE first_id = identifier.id AND state IN ('joined', 'attached')
                UNION ALL
               SELECT evidence, state FROM customers_link
                WHERE second_id = identifier.id AND state IN ('joined', 'attached')) AS link
       ) AS acting
 WHERE identifier.customer_id = %(customer_id)s
 ORDER BY identifier.evidence DESC, identifier.kind, identifier.value, identifier.id
 LIMIT %(limit)s
