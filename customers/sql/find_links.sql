-- Find those of these links that are already stored.
--
-- links  jsonb  [[first_id, second_id, kind, evidence], ...]
-- source_id
-- returns (first_id, second_id, kind, evidence, occurred_at, last_proved_at|null, state)

SELECT link.first_id, link.second_id, link.kind, link.evidence, link.occurred_at,
       link.last_proved_at, link.state
  FROM jsonb_array_elements(%(links)s::jsonb) AS searched
  JOIN customers_link AS link
    ON link.first_id = (searched ->> 0)::bigint
   AND link.second_id = (searched ->> 1)::bigint
   AND link.kind = searched ->> 2
   AND link.evidence = (searched ->> 3)::smallint
 WHERE link.source_id = %(source_id)s
