-- Find those of these links that are already stored.
--
-- links  jsonb  [{first_id, second_id, evidence, kind}, ...]
-- source_id
-- returns (first, second, kind, evidence, occurred_at, last_proved_at, state)

SELECT link.first_id, link.second_id, link.kind, link.evidence, link.occurred_at,
       COALESCE(link.last_proved_at, link.occurred_at), link.state
  FROM jsonb_to_recordset(%(links)s::jsonb) AS searched (
       first_id bigint, second_id bigint, evidence smallint, kind text)
  JOIN customers_link AS link USING (first_id, second_id, evidence, kind)
 WHERE link.source_id = %(source_id)s
