-- Read the links among the given identifiers that may join or attach them.
--
-- ids  bigint[]
-- returns (id, first, second, evidence, kind, occurred_at, arrival, source, state, last_proved_at)

SELECT id, first_id, second_id, evidence, kind, occurred_at, arrival, source_id, state,
       COALESCE(last_proved_at, occurred_at)
  FROM customers_link
 WHERE first_id = ANY (%(ids)s::bigint[])
   AND second_id = ANY (%(ids)s::bigint[])
   AND evidence >= 30
   AND kind NOT IN ('placed', 'moved')
