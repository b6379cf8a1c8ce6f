-- Put a question before a person, unless it has been asked before.
--
-- questions  jsonb  [{kind, left, right, evidence}, ...]

INSERT INTO customers_review (kind, left_id, right_id, evidence, status, settled_by)
SELECT DISTINCT ON (kind, "left", "right") kind, "left", "right", evidence, 'open', ''
  FROM jsonb_to_recordset(%(questions)s::jsonb) AS question (
       kind text, "left" uuid, "right" uuid, evidence jsonb)
 ORDER BY kind, "left", "right", evidence
    ON CONFLICT (kind, left_id, right_id) DO NOTHING
