-- Write down which identifiers came together; returns those that are news.
--
-- links  jsonb  [{left, right, evidence, kind}, ...] with left < right

INSERT INTO customers_link (first_id, second_id, kind, evidence, source_id, actor)
SELECT "left", "right", kind, evidence, %(source_id)s, ''
  FROM jsonb_to_recordset(%(links)s::jsonb) AS link (
       "left" bigint, "right" bigint, evidence smallint, kind text)
 ORDER BY 1, 2
    ON CONFLICT (first_id, second_id, kind, evidence) DO NOTHING
RETURNING first_id, second_id
