-- Give identifiers a record to file under. Fewer rows than asked for: somebody was faster.
--
-- ids, records  bigint[], uuid[]

UPDATE customers_identifier AS identifier
   SET record_id = settled.record_id,
       customer_id = COALESCE(identifier.customer_id, settled.record_id)
  FROM unnest(%(ids)s::bigint[], %(records)s::uuid[]) AS settled (id, record_id)
 WHERE identifier.id = settled.id
   AND identifier.record_id IS NULL
