-- Read the component of the given identifiers: all identifiers that links of any kind connect with
-- them. The search does not follow links "seen" from a shared value, because a shared value merges
-- no records. It follows links that staff made. It does not reach orders by links "seen" or
-- "placed", because orders merge no records; read_linked_orders finds these orders.
--
-- ids    bigint[]
-- limit  int       the largest number to read; if this many come back, there are too many
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
           -- A partial index finds the links of staff among the many links of a shared value.
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
