-- Store on which records these events are filed now. An event that returns to the record that it
-- was written with loses its row. The caller holds the locks of all live records.
--
-- events         jsonb  [{customer_id, version, record_id}, ...]
-- reason, actor  text
-- now            timestamptz

WITH moved AS MATERIALIZED (
    SELECT event.customer_id, event.version, place.record_id,
           coalesce(event.origin_id, event.customer_id) = place.record_id AS is_return
      FROM jsonb_to_recordset(%(events)s::jsonb) AS place (
           customer_id uuid, version bigint, record_id uuid)
      JOIN customers_event AS event
        ON event.customer_id = place.customer_id AND event.version = place.version
), returned AS (
    DELETE FROM customers_refiledevent AS refiled
     USING moved
     WHERE moved.is_return
       AND refiled.customer_id = moved.customer_id AND refiled.version = moved.version
)
INSERT INTO customers_refiledevent
       (customer_id, version, record_id, reason, actor, refiled_at)
SELECT customer_id, version, record_id, %(reason)s, %(actor)s, %(now)s
  FROM moved
 WHERE NOT is_return
    ON CONFLICT (customer_id, version) DO UPDATE
   SET record_id = EXCLUDED.record_id, reason = EXCLUDED.reason, actor = EXCLUDED.actor,
       refiled_at = EXCLUDED.refiled_at
