-- The ledger of merges: close what no longer stands, then write what does now.
--
-- A record that joined when it was opened was no merge worth telling; once it leaves, the row
-- says where its events from before are.
--
-- moves  jsonb  [{joined_id, kept_id|null (stands alone again), left_id|null (stood alone),
--                 reason, evidence}, ...]
-- actor  text, now  timestamptz

WITH moved AS MATERIALIZED (
    SELECT *
      FROM jsonb_to_recordset(%(moves)s::jsonb) AS move (
           joined_id uuid, kept_id uuid, left_id uuid, reason text, evidence jsonb)
), closed AS (
    UPDATE customers_merge AS merge
       SET parted_at = %(now)s,
           parted_reason = CASE WHEN moved.kept_id IS NULL THEN moved.reason
                                ELSE 'joined another' END
      FROM moved
     WHERE merge.joined_id = moved.joined_id
       AND merge.parted_at IS NULL
 RETURNING merge.joined_id
), untold AS (
    INSERT INTO customers_merge
           (kept_id, joined_id, reason, evidence, actor, joined_at, parted_at, parted_reason)
    SELECT moved.left_id, moved.joined_id, 'proof', '[]', '', record.created_at, %(now)s,
           moved.reason
      FROM moved
      JOIN customers_customer AS record ON record.id = moved.joined_id
     WHERE moved.left_id IS NOT NULL
       AND moved.joined_id NOT IN (SELECT joined_id FROM closed)
)
INSERT INTO customers_merge
       (kept_id, joined_id, reason, evidence, actor, joined_at, parted_reason)
SELECT kept_id, joined_id, reason, evidence, %(actor)s, %(now)s, ''
  FROM moved
 WHERE kept_id IS NOT NULL
   -- Reads the closed rows, so that the unique index sees them closed first.
   AND (SELECT count(*) FROM closed) >= 0
