-- Read the records that these identifiers file under.
--
-- ids  bigint[]
-- returns (identifier, record, its live record); the records are null if it has none

SELECT identifier.id, record.id, coalesce(record.canonical_id, record.id)
  FROM customers_identifier AS identifier
  LEFT JOIN customers_customer AS record ON record.id = identifier.record_id
 WHERE identifier.id = ANY (%(ids)s::bigint[])
