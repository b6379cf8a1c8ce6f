-- Append entries to a chain. The caller holds the lock of its record.
--
-- rows  jsonb  the columns of customers_ledgerentry, digests in hex

INSERT INTO customers_ledgerentry
       (record_id, seq, entry_id, speaks_for, kind, subject, version, occurred_at, recorded_at,
        document, previous, digest)
SELECT record_id, seq, entry_id, speaks_for, kind, subject, version, occurred_at, recorded_at,
       document, decode(previous, 'hex'), decode(digest, 'hex')
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS entry (
       record_id uuid, seq bigint, entry_id uuid, speaks_for uuid[], kind text, subject text,
       version bigint, occurred_at timestamptz, recorded_at timestamptz, document text,
       previous text, digest text)
