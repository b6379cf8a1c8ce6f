-- Find broken invariants: a log with a gap, a record whose version is not that of its last event,
-- an identifier that leads to a merged record, a canonical record that is itself merged, a chain of
-- the ledger with a gap.
--
-- ids  uuid[]  live records

SELECT record.id, 'log', record.version::text, count(event.version)::text
  FROM customers_customer AS record
  LEFT JOIN customers_event AS event ON event.customer_id = record.id
 WHERE record.id = ANY (%(ids)s::uuid[]) OR record.canonical_id = ANY (%(ids)s::uuid[])
 GROUP BY record.id
HAVING count(event.version) <> record.version
    OR COALESCE(max(event.version), 0) <> record.version
 UNION ALL
SELECT filed.id, 'identifier', identifier.customer_id::text,
       COALESCE(filed.canonical_id, filed.id)::text
  FROM customers_customer AS filed
  JOIN customers_identifier AS identifier ON identifier.record_id = filed.id
 WHERE (filed.id = ANY (%(ids)s::uuid[]) OR filed.canonical_id = ANY (%(ids)s::uuid[]))
   AND identifier.customer_id IS DISTINCT FROM COALESCE(filed.canonical_id, filed.id)
 UNION ALL
SELECT merged.id, 'pointer', live.canonical_id::text, NULL
  FROM customers_customer AS live
  JOIN customers_customer AS merged ON merged.canonical_id = live.id
 WHERE live.id = ANY (%(ids)s::uuid[]) AND live.canonical_id IS NOT NULL
 UNION ALL
SELECT entry.record_id, 'ledger', max(entry.seq)::text, count(*)::text
  FROM customers_ledgerentry AS entry
  JOIN customers_customer AS record ON record.id = entry.record_id
 WHERE record.id = ANY (%(ids)s::uuid[]) OR record.canonical_id = ANY (%(ids)s::uuid[])
 GROUP BY entry.record_id
HAVING max(entry.seq) <> count(*)
