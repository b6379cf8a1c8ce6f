-- Store links between identifiers; returns the new links.
--
-- links  jsonb  [{first_id, second_id, evidence, kind}, ...] with first_id < second_id

INSERT INTO customers_link (first_id, second_id, kind, evidence, source_id, actor)
SELECT first_id, second_id, kind, evidence, %(source_id)s, ''
  FROM jsonb_to_recordset(%(links)s::jsonb) AS link (
       first_id bigint, second_id bigint, evidence smallint, kind text)
 ORDER BY 1, 2
    ON CONFLICT (first_id, second_id, kind, evidence) DO NOTHING
RETURNING first_id, second_id
