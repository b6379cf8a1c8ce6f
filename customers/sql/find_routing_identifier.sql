-- The identifier by which an event of our own reaches a record's log: the strongest verified one,
-- or else a device that leads there. Never one that is only claimed.
--
-- id  uuid  of the record, or of one that was joined into it

SELECT identifier.kind, identifier.value
  FROM customers_customer AS record
  JOIN customers_identifier AS identifier
    ON identifier.customer_id = coalesce(record.canonical_id, record.id)
 WHERE record.id = %(id)s
   AND NOT identifier.is_shared
   AND (identifier.evidence = 2 OR identifier.kind IN ('anonymous_id', 'device'))
 ORDER BY identifier.evidence DESC,
          array_position(ARRAY['user_id', 'card', 'email', 'phone', 'order', 'anonymous_id'],
                         identifier.kind::text) NULLS LAST,
          identifier.id
 LIMIT 1
