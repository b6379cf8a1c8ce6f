-- Find the identifier on which a change of a record is filed: its mailbox, or else its account, or
-- else another identifier that leads to the record. A claimed identifier of a person is never used.
--
-- id     uuid      the record, or a record that was merged into it
-- among  bigint[]  the identifiers that a session opens; empty for all

SELECT identifier.kind, identifier.value
  FROM customers_customer AS record
  JOIN customers_identifier AS identifier
    ON identifier.customer_id = coalesce(record.canonical_id, record.id)
 WHERE record.id = %(id)s
   AND NOT identifier.is_shared
   AND identifier.erasure_id IS NULL
   AND (identifier.id = ANY (%(among)s::bigint[]) OR cardinality(%(among)s::bigint[]) = 0)
   AND (identifier.evidence = 2 OR identifier.kind IN ('anonymous_id', 'device'))
 ORDER BY identifier.evidence DESC,
          array_position(ARRAY['email', 'user_id', 'external', 'card', 'phone', 'order',
                               'anonymous_id'],
                         split_part(identifier.kind, ':', 1)) NULLS LAST,
          identifier.period DESC, identifier.id
 LIMIT 1
