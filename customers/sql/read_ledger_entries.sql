-- All ledger entries that speak for the records of some customers: those on their own chains, and
-- those on the chain of another record while the two were one customer.
--
-- ids  uuid[]  live records

WITH member AS MATERIALIZED (
    SELECT record.id, COALESCE(record.canonical_id, record.id) AS customer_id
      FROM customers_customer AS record
     WHERE (record.id = ANY (%(ids)s::uuid[]) AND record.canonical_id IS NULL)
        OR record.canonical_id = ANY (%(ids)s::uuid[])
)
SELECT member.customer_id, entry.record_id, entry.seq, entry.speaks_for, entry.kind,
       entry.subject, entry.occurred_at, entry.document
  FROM member
  JOIN customers_controlentry AS entry ON entry.record_id = member.id
 UNION
SELECT member.customer_id, entry.record_id, entry.seq, entry.speaks_for, entry.kind,
       entry.subject, entry.occurred_at, entry.document
  FROM member
  JOIN customers_controlentry AS entry
    ON entry.speaks_for @> ARRAY[member.id] AND entry.speaks_for <> ARRAY[entry.record_id]
