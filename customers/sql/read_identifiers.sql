-- Read the identifiers of a live record, with their evidence and their contested links. Evidence is
-- that of the strongest link that joins or attaches it. Without such a link, it is that of the events.
--
-- customer_id    uuid
-- listed_ids     bigint[]  the identifiers that a session may see; null for all
-- limit          int     identifiers
-- link_limit     int     contested links of each identifier, the strongest first
-- desk_channels  text[]  channels of sources that own no space
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
       CASE WHEN acting.is_joined OR identifier.kind = 'email' THEN 'joined'
            WHEN numbered.is_number AND (acting.is_joined IS NULL OR NOT attachable.is_attachable)
            THEN 'joined' ELSE 'attached' END,
       identifier.is_shared, identifier.first_seen_at,
       (SELECT coalesce(json_agg(contested ORDER BY evidence DESC, occurred_at, link), '[]')
          FROM (SELECT link.id AS link, other.id, other.kind,
                       -- The value of the other side is only told if somebody proved the link, or
                       -- if it is a card or a phone that a source gave for this account.
                       CASE WHEN link.evidence >= 50 OR (numbered.is_number
                                 AND other.kind IN ('card', 'phone')) THEN
                            CASE WHEN other.kind = 'user_id' OR other.kind LIKE 'external:%%'
                                 THEN substring(other.value, strpos(other.value, '/') + 1)
                                 ELSE other.value END END AS value,
                       source.name AS source, link.evidence,
                       -- Equal numbers have no time of their own.
                       CASE WHEN link.kind <> 'equal' THEN link.occurred_at END AS occurred_at
                  FROM ((SELECT *, second_id AS other_id FROM customers_link
                          WHERE first_id = identifier.id AND state = 'contested'
                          ORDER BY evidence DESC, occurred_at, arrival LIMIT %(link_limit)s)
                         UNION ALL
                        (SELECT *, first_id FROM customers_link
                          WHERE second_id = identifier.id AND state = 'contested'
                          ORDER BY evidence DESC, occurred_at, arrival LIMIT %(link_limit)s)) AS link
                  JOIN customers_identifier AS other ON other.id = link.other_id
                  JOIN customers_source AS source ON source.id = link.source_id
                       -- The page and the API list the decisions of people beside the identifiers.
                 WHERE (SELECT decision.kind
                          FROM customers_manualdecision AS decision
                         WHERE decision.first_id = least(identifier.id, other.id)
                           AND decision.second_id = greatest(identifier.id, other.id)
                           AND decision.undone_at IS NULL
                         ORDER BY decision.decided_at DESC, decision.id DESC
                         LIMIT 1) IS DISTINCT FROM 'separate'
                 ORDER BY link.evidence DESC, link.occurred_at, link.id
                 LIMIT %(link_limit)s) AS contested)::text
  FROM customers_identifier AS identifier
 CROSS JOIN LATERAL (
       SELECT identifier.kind = 'user_id' OR identifier.kind LIKE 'external:%%' AS is_number,
              identifier.kind IN ('user_id', 'order') OR identifier.kind LIKE 'external:%%'
              AS has_source
       ) AS numbered
 CROSS JOIN LATERAL (
       -- Numbers of contracts and of tills are attached to a record; accounts join.
       SELECT EXISTS (SELECT
                        FROM customers_source AS source
                        JOIN customers_space AS space ON space.id = source.space_id
                       WHERE numbered.is_number
                         AND source.id::text = split_part(identifier.value, '/', 1)
                         AND (space.ids_per_person = 'several'
                              OR source.is_shared
                              OR source.channel = ANY (%(desk_channels)s::text[]))
                     ) AS is_attachable
       ) AS attachable
 CROSS JOIN LATERAL (
       SELECT max(evidence) AS evidence, bool_or(state = 'joined') AS is_joined
         FROM (SELECT evidence, state FROM customers_link
                WHERE first_id = identifier.id AND state IN ('joined', 'attached') AND kind <> 'period'
                UNION ALL
               SELECT evidence, state FROM customers_link
                WHERE second_id = identifier.id AND state IN ('joined', 'attached') AND kind <> 'period') AS link
       ) AS acting
 WHERE identifier.customer_id = %(customer_id)s
   AND (%(listed_ids)s::bigint[] IS NULL OR identifier.id = ANY (%(listed_ids)s::bigint[]))
   -- A later period of an address that is on the record, too.
   AND NOT EXISTS (SELECT
                     FROM customers_identifier AS earlier
                    WHERE identifier.period > 0
                      AND earlier.kind = identifier.kind
                      AND earlier.value = identifier.value
                      AND earlier.evidence = identifier.evidence
                      AND earlier.period < identifier.period
                      AND earlier.customer_id = identifier.customer_id)
 ORDER BY identifier.evidence DESC, identifier.kind, identifier.value, identifier.id
 LIMIT %(limit)s
