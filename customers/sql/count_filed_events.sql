-- Count the events of live records, without Butler's own events about merges and re-filings.
--
-- ids         uuid[]
-- record_ids  uuid[]  the records that a session opens; null for all
-- returns (live record, number of events)

SELECT live.id, count(event.version)
  FROM unnest(%(ids)s::uuid[]) AS live (id)
  JOIN customers_customer AS record
    ON (record.id = live.id OR record.canonical_id = live.id)
   AND (%(record_ids)s::uuid[] IS NULL OR record.id = ANY (%(record_ids)s::uuid[]))
  LEFT JOIN LATERAL customers_filed_events(record.id) AS event ON event.kind <> 'identity'
 GROUP BY live.id
