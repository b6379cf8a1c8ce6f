-- Read the numbers of a source that equal numbers of other sources.
--
-- ids, sources  bigint[]  numbers, and for each the source whose equal number to read
-- returns (number, source, the equal number of the source)

SELECT number.id, searched.source_id, own.id
  FROM unnest(%(ids)s::bigint[], %(sources)s::bigint[]) AS searched (id, source_id)
  JOIN customers_identifier AS number ON number.id = searched.id
  JOIN customers_identifier AS own
    ON own.kind = number.kind AND own.evidence = number.evidence
   AND own.value = searched.source_id || '/' || substring(number.value, strpos(number.value, '/') + 1)
