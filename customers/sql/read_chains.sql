-- Read all links of the chains of these records, and of the records merged into them, to verify
-- the chains.
--
-- ids  uuid[]  live records

SELECT entry.record_id, entry.seq, entry.entry_id, entry.kind, entry.subject, entry.speaks_for,
       entry.occurred_at, entry.document, entry.previous, entry.digest
  FROM customers_customer AS record
  JOIN customers_ledgerentry AS entry ON entry.record_id = record.id
 WHERE record.id = ANY (%(ids)s::uuid[])
    OR record.canonical_id = ANY (%(ids)s::uuid[])
 ORDER BY entry.record_id, entry.seq
