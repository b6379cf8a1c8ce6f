-- Store links between identifiers, or an earlier time of links that are stored.
--
-- links  jsonb  [{first_id, second_id, evidence, kind, occurred_at, arrival, state}, ...]
--               with first_id < second_id
-- source_id

INSERT INTO customers_link
       (first_id, second_id, kind, evidence, source_id, occurred_at, arrival, state)
SELECT first_id, second_id, kind, evidence, %(source_id)s, occurred_at, arrival, state
  FROM jsonb_to_recordset(%(links)s::jsonb) AS link (
       first_id bigint, second_id bigint, evidence smallint, kind text, occurred_at timestamptz,
       arrival bigint, state text)
 ORDER BY 1, 2
    ON CONFLICT (first_id, second_id, kind, evidence, source_id) DO UPDATE
   SET occurred_at = EXCLUDED.occurred_at, arrival = EXCLUDED.arrival
 WHERE (EXCLUDED.occurred_at, EXCLUDED.arrival)
       < (customers_link.occurred_at, customers_link.arrival)
