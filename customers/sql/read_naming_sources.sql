-- Read which sources named these identifiers, as far as their best evidence is not stored: in events
-- that are filed on them, and the strongest evidence of their links.
--
-- ids  bigint[]
-- returns (identifier, source of an event or null, evidence of a link or null)

WITH identifier AS MATERIALIZED (
    SELECT id, record_id
      FROM customers_identifier
     WHERE id = ANY (%(ids)s::bigint[])
       AND evidence = 2
       AND best_evidence IS NULL
)
SELECT DISTINCT identifier.id, event.source_id, NULL::smallint
  FROM identifier
 CROSS JOIN LATERAL customers_filed_events(identifier.record_id) AS event
 WHERE identifier.record_id IS NOT NULL
   AND event.evidence = 2
   AND identifier.id = ANY (event.identifier_ids)
 UNION ALL
SELECT identifier.id, NULL, max(link.evidence)
  FROM identifier
 CROSS JOIN LATERAL (
       SELECT evidence FROM customers_link
        WHERE first_id = identifier.id AND kind IN ('seen', 'alias')
        UNION ALL
       SELECT evidence FROM customers_link
        WHERE second_id = identifier.id AND kind IN ('seen', 'alias')) AS link
 GROUP BY identifier.id
