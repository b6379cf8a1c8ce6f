-- Read the other ends of the links that the rules refused, of each of these identifiers: first the
-- links that come first in the grouping. Only accounts and mailboxes are returned.
--
-- ids    bigint[]
-- limit  int       for each identifier, of proved links and of others

SELECT DISTINCT refused.other_id
  FROM unnest(%(ids)s::bigint[]) AS identifier (id)
 CROSS JOIN LATERAL (
       (SELECT link.second_id AS other_id FROM customers_link AS link
         WHERE link.first_id = identifier.id AND link.state IN ('contested', 'replaced')
           AND link.evidence >= 40
         ORDER BY link.occurred_at, link.arrival LIMIT %(limit)s)
        UNION ALL
       (SELECT link.first_id FROM customers_link AS link
         WHERE link.second_id = identifier.id AND link.state IN ('contested', 'replaced')
           AND link.evidence >= 40
         ORDER BY link.occurred_at, link.arrival LIMIT %(limit)s)
        UNION ALL
       (SELECT link.second_id FROM customers_link AS link
         WHERE link.first_id = identifier.id AND link.state IN ('contested', 'replaced')
           AND link.evidence < 40
         ORDER BY link.occurred_at, link.arrival LIMIT %(limit)s)
        UNION ALL
       (SELECT link.first_id FROM customers_link AS link
         WHERE link.second_id = identifier.id AND link.state IN ('contested', 'replaced')
           AND link.evidence < 40
         ORDER BY link.occurred_at, link.arrival LIMIT %(limit)s)
       ) AS refused
  JOIN customers_identifier AS other ON other.id = refused.other_id
 WHERE other.kind IN ('user_id', 'email') OR other.kind LIKE 'external:%%'
