-- Put a question before a person, unless it has been asked before.
--
-- questions  jsonb  [{kind, first, second, details}, ...]

INSERT INTO customers_review (kind, first_id, second_id, details, status, settled_by)
SELECT DISTINCT ON (kind, first, second) kind, first, second, details, 'open', ''
  FROM jsonb_to_recordset(%(questions)s::jsonb) AS question (
       kind text, first uuid, second uuid, details jsonb)
 ORDER BY kind, first, second, details
    ON CONFLICT (kind, first_id, second_id) DO NOTHING
