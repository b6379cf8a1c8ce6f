-- All ledger entries that speak for the records of some customers: those on their own chains, and
-- those on the chain of another record while the two were one customer.
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
  JOIN customers_controlentry AS entry ON entry.record_id = record.id
 UNION
SELECT record.customer_id, entry.record_id, entry.seq, entry.speaks_for, entry.kind,
       entry.subject, entry.occurred_at, entry.document
  FROM record
  JOIN customers_controlentry AS entry
    ON entry.speaks_for @> ARRAY[record.id] AND entry.speaks_for <> ARRAY[entry.record_id]
