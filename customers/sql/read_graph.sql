-- Read the given identifiers, and all identifiers that joining links and merges by people connect
-- with them.
-- Contested links are not followed, nor are links to orders, cards, phones and devices.
--
-- ids            bigint[]
-- limit          int     the largest number to read; if this many come back, there are too many
-- desk_channels  text[]  channels of sources that own no space
-- returns the identifiers with the spaces of their sources and their records

WITH RECURSIVE reached AS (
    SELECT unnest(%(ids)s::bigint[]) AS id
     UNION
    SELECT other.id
      FROM reached
     CROSS JOIN LATERAL (
           SELECT second_id AS id FROM customers_link
            WHERE first_id = reached.id AND state = 'joined'
            UNION ALL
           SELECT first_id FROM customers_link
            WHERE second_id = reached.id AND state = 'joined'
            UNION ALL
           -- A separated card or phone keeps its proved holder from joining the other side.
           SELECT second_id FROM customers_link AS link
            WHERE first_id = reached.id AND state IN ('attached', 'contested') AND evidence >= 40
              AND EXISTS (SELECT FROM customers_manualdecision AS decision
                           WHERE decision.first_id = link.second_id AND undone_at IS NULL
                           UNION ALL
                          SELECT FROM customers_manualdecision AS decision
                           WHERE decision.second_id = link.second_id AND undone_at IS NULL)
            UNION ALL
           SELECT first_id FROM customers_link AS link
            WHERE second_id = reached.id AND state IN ('attached', 'contested') AND evidence >= 40
              AND EXISTS (SELECT FROM customers_manualdecision AS decision
                           WHERE decision.first_id = link.first_id AND undone_at IS NULL
                           UNION ALL
                          SELECT FROM customers_manualdecision AS decision
                           WHERE decision.second_id = link.first_id AND undone_at IS NULL)
            UNION ALL
           -- So does a card to which a separated number is attached.
           SELECT CASE WHEN link.first_id = reached.id THEN link.second_id ELSE link.first_id END
             FROM customers_link AS link
             JOIN customers_identifier AS card
               ON card.id IN (link.first_id, link.second_id) AND card.kind = 'card'
            WHERE reached.id IN (link.first_id, link.second_id)
              AND link.state IN ('attached', 'contested') AND link.evidence >= 40
              AND EXISTS (
                  SELECT
                    FROM customers_link AS linked
                    JOIN customers_manualdecision AS decision
                      ON decision.first_id IN (linked.first_id, linked.second_id)
                      OR decision.second_id IN (linked.first_id, linked.second_id)
                   WHERE card.id IN (linked.first_id, linked.second_id)
                     AND linked.state IN ('attached', 'contested') AND linked.evidence >= 40
                     AND decision.undone_at IS NULL)
            UNION ALL
           SELECT second_id FROM customers_manualdecision
            WHERE first_id = reached.id AND undone_at IS NULL AND kind = 'merge'
            UNION ALL
           SELECT first_id FROM customers_manualdecision
            WHERE second_id = reached.id AND undone_at IS NULL AND kind = 'merge'
           ) AS other
)
SELECT identifier.id, identifier.kind, identifier.value, identifier.evidence,
       COALESCE(space.id, 0), COALESCE(space.id <> 1, false),
       COALESCE(space.ids_per_person = 'several', false),
       COALESCE((source.is_shared OR source.channel = ANY (%(desk_channels)s::text[]))
                AND source.addresses <> 'checked'
                AND (source.channel <> 'import' OR source.addresses <> 'stated'), false),
       identifier.is_placeholder, COALESCE(identifier.erasure_id, 0), identifier.is_shared,
       identifier.record_id, identifier.customer_id,
       record.canonical_id, COALESCE(record.version, 0)
  FROM (SELECT id FROM reached LIMIT %(limit)s) AS within
  JOIN customers_identifier AS identifier USING (id)
  LEFT JOIN customers_customer AS record ON record.id = identifier.record_id
  LEFT JOIN customers_source AS source
    ON source.id = CASE WHEN identifier.kind = 'user_id' OR identifier.kind LIKE 'external:%%'
                        THEN split_part(identifier.value, '/', 1)::bigint END
  LEFT JOIN customers_space AS space ON space.id = source.space_id
