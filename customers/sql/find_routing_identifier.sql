-- Find the identifier by which an event of Butler reaches the log of a record: the strongest
-- verified identifier, or else a device that leads to the record. A claimed identifier of a person
-- is never used.
--
-- id  uuid  the record, or a record that was merged into it

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
