-- Read all ledger entries that speak for the records of these customers: entries on their own
-- chains, and entries on the chain of another record from the time when the two were merged.
--
-- ids  uuid[]  live records

WITH record AS MATERIALIZED (
    SELECT customer.id, COALESCE(customer.canonical_id, customer.id) AS customer_id
      FROM customers_customer AS customer
     WHERE (customer.id = ANY (%(ids)s::uuid[]) AND customer.canonical_id IS NULL)
        OR customer.canonical_id = ANY (%(ids)s::uuid[])
)
SELECT record.customer_id, entry.record_id, entry.seq, entry.speaks_for, entry.kind,
       entry.subject, entry.occurred_at, entry.document
  FROM record
  JOIN customers_ledgerentry AS entry ON entry.record_id = record.id
 UNION
SELECT record.customer_id, entry.record_id, entry.seq, entry.speaks_for, entry.kind,
       entry.subject, entry.occurred_at, entry.document
  FROM record
  JOIN customers_ledgerentry AS entry
    ON entry.speaks_for @> ARRAY[record.id] AND entry.speaks_for <> ARRAY[entry.record_id]
