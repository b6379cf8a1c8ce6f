-- Create reviews. A review that already exists is not created again.
--
-- reviews  jsonb  [{kind, first, second, details}, ...]  first and second are records

INSERT INTO customers_review (kind, first_id, second_id, details, status, settled_by)
SELECT DISTINCT ON (kind, first, second) kind, first, second, details, 'open', ''
  FROM jsonb_to_recordset(%(reviews)s::jsonb) AS review (
       kind text, first uuid, second uuid, details jsonb)
 ORDER BY kind, first, second, details
    ON CONFLICT (kind, first_id, second_id) DO NOTHING
