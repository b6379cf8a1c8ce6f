-- The ledger of merges: close what no longer stands, then write what does now.
--
-- moves  jsonb  [{joined_id, kept_id|null (stands alone again), reason, evidence}, ...]
-- actor  text, now  timestamptz

WITH moved AS MATERIALIZED (
    SELECT *
      FROM jsonb_to_recordset(%(moves)s::jsonb) AS move (
           joined_id uuid, kept_id uuid, reason text, evidence jsonb)
), closed AS (
    UPDATE customers_merge AS merge
       SET parted_at = %(now)s,
           parted_reason = CASE WHEN moved.kept_id IS NULL THEN moved.reason
                                ELSE 'joined another' END
      FROM moved
     WHERE merge.joined_id = moved.joined_id
       AND merge.parted_at IS NULL
 RETURNING merge.id
)
INSERT INTO customers_merge
       (kept_id, joined_id, reason, evidence, actor, joined_at, parted_reason)
SELECT kept_id, joined_id, reason, evidence, %(actor)s, %(now)s, ''
  FROM moved
 WHERE kept_id IS NOT NULL
   -- Reads the closed rows, so that the unique index sees them closed first.
   AND (SELECT count(*) FROM closed) >= 0
