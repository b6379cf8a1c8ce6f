-- Mark the undone merges, then store the active ones.
--
-- A record that was merged at its creation has no row. When it is separated, the statement stores a
-- row that names the record with its earlier events. Its links are gone, so the row states no proof.
--
-- moves  jsonb  [{record_id, merged_into_id|null (now separate), previous_id|null (was separate),
--                 reason, links}, ...]
-- actor  text, now  timestamptz

WITH moved AS MATERIALIZED (
    SELECT *
      FROM jsonb_to_recordset(%(moves)s::jsonb) AS move (
           record_id uuid, merged_into_id uuid, previous_id uuid, reason text, links jsonb)
), undone AS (
    UPDATE customers_merge AS merge
       SET undone_at = %(now)s,
           undone_reason = CASE WHEN moved.merged_into_id IS NULL THEN moved.reason
                                ELSE 'joined another' END
      FROM moved
     WHERE merge.record_id = moved.record_id
       AND merge.undone_at IS NULL
 RETURNING merge.record_id
), unmentioned AS (
    INSERT INTO customers_merge
           (merged_into_id, record_id, reason, links, actor, merged_at, undone_at, undone_reason)
    SELECT moved.previous_id, moved.record_id, 'statement', '[]', '', record.created_at, %(now)s,
           moved.reason
      FROM moved
      JOIN customers_customer AS record ON record.id = moved.record_id
     WHERE moved.previous_id IS NOT NULL
       AND moved.record_id NOT IN (SELECT record_id FROM undone)
)
INSERT INTO customers_merge
       (merged_into_id, record_id, reason, links, actor, merged_at, undone_reason)
SELECT merged_into_id, record_id, reason, links, %(actor)s, %(now)s, ''
  FROM moved
 WHERE merged_into_id IS NOT NULL
   -- The condition reads the undone rows, so that the update runs before the insert checks the
   -- unique index.
   AND (SELECT count(*) FROM undone) >= 0
