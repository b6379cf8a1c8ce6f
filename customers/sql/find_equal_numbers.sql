-- Find numbers of other sources of one space that equal these numbers.
--
-- ids        bigint[]  numbers of one source
-- source_id  bigint
-- returns (one of the ids, the equal number, the source of the equal number)

SELECT own.id, other.id, sibling.id
  FROM customers_source AS source
  JOIN customers_source AS sibling
    ON sibling.space_id = source.space_id AND sibling.id <> source.id
  JOIN customers_identifier AS own ON own.id = ANY (%(ids)s::bigint[])
  JOIN customers_identifier AS other
    ON other.kind = own.kind AND other.evidence = own.evidence
   AND other.value = sibling.id || '/' || substring(own.value, strpos(own.value, '/') + 1)
 WHERE source.id = %(source_id)s
   AND other.erasure_id IS NULL
   AND own.erasure_id IS NULL
