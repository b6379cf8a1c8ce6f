-- Store the records of identifiers that have none. If fewer rows than ids change, another
-- transaction was faster. The live records stay: the caller regroups the identifiers, so that the
-- identifiers that are attached to them move with them.
--
-- ids, records  bigint[], uuid[]

UPDATE customers_identifier AS identifier
   SET record_id = assigned.record_id
  FROM unnest(%(ids)s::bigint[], %(records)s::uuid[]) AS assigned (id, record_id)
 WHERE identifier.id = assigned.id
   AND identifier.record_id IS NULL
