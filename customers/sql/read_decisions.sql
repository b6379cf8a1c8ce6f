-- Read the decisions of people about these identifiers that nobody has undone.
--
-- ids  bigint[]
-- returns (kind, first, second, decided_at, id)

SELECT kind, first_id, second_id, decided_at, id
  FROM customers_manualdecision
 WHERE undone_at IS NULL
   AND (first_id = ANY (%(ids)s::bigint[]) OR second_id = ANY (%(ids)s::bigint[]))
