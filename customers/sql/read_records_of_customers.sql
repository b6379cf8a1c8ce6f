-- Read the records that now belong to each customer, including the live record.
--
-- ids  uuid[]  live records
-- returns a row for each record: the live record, the record

SELECT COALESCE(record.canonical_id, record.id), record.id
  FROM customers_customer AS record
 WHERE (record.id = ANY (%(ids)s::uuid[]) AND record.canonical_id IS NULL)
    OR record.canonical_id = ANY (%(ids)s::uuid[])
