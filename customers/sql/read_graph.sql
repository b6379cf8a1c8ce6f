-- Everything that hangs together with the given identifiers, by links of any kind.
-- A shared value is a dead end for what was seen: it merges nobody, so what lies behind it does
-- not matter. Links that a person made count all the same. An order is never reached by what
-- was seen with it, because it merges nobody either: read_linked_orders finds those that follow.
--
-- ids    bigint[]
-- limit  int       how many are read; the caller takes as many as that for too many
-- returns the identifiers; read_links returns the links among them

WITH RECURSIVE reached AS (
    SELECT id, is_shared OR kind = 'order' AS is_end
      FROM customers_identifier
     WHERE id = ANY (%(ids)s::bigint[])
     UNION
    SELECT other.id, other.is_shared OR other.kind = 'order'
      FROM reached
     CROSS JOIN LATERAL (
           SELECT second_id AS id, kind FROM customers_link
            WHERE first_id = reached.id AND NOT reached.is_end
            UNION ALL
           SELECT first_id, kind FROM customers_link
            WHERE second_id = reached.id AND NOT reached.is_end
            UNION ALL
           -- Of the many links of a shared value, an index finds those that a person made.
           SELECT second_id, kind FROM customers_link
            WHERE first_id = reached.id AND reached.is_end AND kind <> 'seen'
            UNION ALL
           SELECT first_id, kind FROM customers_link
            WHERE second_id = reached.id AND reached.is_end AND kind <> 'seen'
           ) AS link
      JOIN customers_identifier AS other ON other.id = link.id
     WHERE link.kind <> 'placed'
       AND (link.kind <> 'seen' OR other.kind <> 'order')
)
SELECT identifier.id, identifier.kind, identifier.value, identifier.evidence,
       identifier.record_id, identifier.customer_id, identifier.is_shared,
       record.canonical_id, COALESCE(record.version, 0)
  FROM (SELECT id FROM reached LIMIT %(limit)s) AS within
  JOIN customers_identifier AS identifier USING (id)
  LEFT JOIN customers_customer AS record ON record.id = identifier.record_id
