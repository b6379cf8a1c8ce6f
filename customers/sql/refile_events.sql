-- Store on which records these events are filed now. A re-filing keeps the earlier ones of its
-- event, the latest last. An undo puts the latest of them back; without one, the event returns to
-- the record that it was written with and loses its row. The caller holds the locks of all live
-- records.
--
-- events         jsonb  [{customer_id, version, record_id, is_undo}, ...]
-- reason, actor  text
-- now            timestamptz

WITH place AS MATERIALIZED (
    SELECT *
      FROM jsonb_to_recordset(%(events)s::jsonb) AS place (
           customer_id uuid, version bigint, record_id uuid, is_undo boolean)
), returned AS (
    DELETE FROM customers_refiledevent AS refiled
     USING place
     WHERE place.is_undo
       AND refiled.customer_id = place.customer_id AND refiled.version = place.version
       AND refiled.earlier = '[]'
), undone AS (
    UPDATE customers_refiledevent AS refiled
       SET record_id = place.record_id,
           reason = refiled.earlier -> -1 ->> 'reason',
           actor = refiled.earlier -> -1 ->> 'actor',
           refiled_at = (refiled.earlier -> -1 ->> 'refiled_at')::timestamptz,
           earlier = refiled.earlier - -1
      FROM place
     WHERE place.is_undo
       AND refiled.customer_id = place.customer_id AND refiled.version = place.version
       AND refiled.earlier <> '[]'
)
INSERT INTO customers_refiledevent AS refiled
       (customer_id, version, record_id, reason, actor, refiled_at, earlier)
SELECT customer_id, version, record_id, %(reason)s, %(actor)s, %(now)s, '[]'
  FROM place
 WHERE NOT is_undo
    ON CONFLICT (customer_id, version) DO UPDATE
   SET record_id = EXCLUDED.record_id, reason = EXCLUDED.reason, actor = EXCLUDED.actor,
       refiled_at = EXCLUDED.refiled_at,
       earlier = refiled.earlier || jsonb_build_object(
           'record_id', refiled.record_id, 'reason', refiled.reason, 'actor', refiled.actor,
           'refiled_at', refiled.refiled_at)
