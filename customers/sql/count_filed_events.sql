-- Count the events of live records, without Butler's own events about merges and re-filings.
--
-- ids  uuid[]
-- returns (live record, number of events)

SELECT live.id, count(event.version)
  FROM unnest(%(ids)s::uuid[]) AS live (id)
  JOIN customers_customer AS record ON record.id = live.id OR record.canonical_id = live.id
  LEFT JOIN LATERAL customers_filed_events(record.id) AS event ON event.kind <> 'identity'
 GROUP BY live.id
