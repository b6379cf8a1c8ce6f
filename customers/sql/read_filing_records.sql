-- Read the own records of these identifiers, which have the events that are filed on them.
--
-- ids  bigint[]
-- returns (identifier, record, its live record); the records are null if it has none

SELECT identifier.id, record.id, coalesce(record.canonical_id, record.id)
  FROM customers_identifier AS identifier
  LEFT JOIN customers_customer AS record ON record.id = identifier.record_id
 WHERE identifier.id = ANY (%(ids)s::bigint[])
