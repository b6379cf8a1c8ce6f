-- Everything that hangs together with the given identifiers, by links of any kind.
-- A shared value is a dead end for what was seen: it joins nobody, so what lies behind it does
-- not matter. What a person said of it counts all the same.
--
-- ids  bigint[]
-- returns the identifiers; read_links returns what ties them

WITH RECURSIVE reached AS (
    SELECT id, is_shared
      FROM customers_identifier
     WHERE id = ANY (%(ids)s::bigint[])
     UNION
    SELECT other.id, other.is_shared
      FROM reached
      JOIN LATERAL (
           SELECT right_id AS id, kind FROM customers_link WHERE left_id = reached.id
            UNION ALL
           SELECT left_id, kind FROM customers_link WHERE right_id = reached.id
           ) AS tie ON tie.kind <> 'seen' OR NOT reached.is_shared
      JOIN customers_identifier AS other ON other.id = tie.id
)
SELECT identifier.id, identifier.kind, identifier.value, identifier.trust,
       identifier.record_id, identifier.customer_id, identifier.is_shared,
       record.canonical_id, COALESCE(record.version, 0)
  FROM reached
  JOIN customers_identifier AS identifier USING (id)
  LEFT JOIN customers_customer AS record ON record.id = identifier.record_id
