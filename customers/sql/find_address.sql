-- By which identifier an event that we state ourselves finds its way onto a record's log:
-- the strongest that is proved, or else a device that leads there. Not by a mere claim.
--
-- id  uuid  of the record, or of one that was joined into it

SELECT identifier.kind, identifier.value
  FROM customers_customer AS asked
  JOIN customers_identifier AS identifier
    ON identifier.customer_id = coalesce(asked.canonical_id, asked.id)
 WHERE asked.id = %(id)s
   AND NOT identifier.is_shared
   AND (identifier.evidence = 2 OR identifier.kind IN ('anonymous_id', 'device'))
 ORDER BY identifier.evidence DESC,
          array_position(ARRAY['user_id', 'card', 'email', 'phone', 'order', 'anonymous_id'],
                         identifier.kind::text) NULLS LAST,
          identifier.id
 LIMIT 1
