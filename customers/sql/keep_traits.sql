-- Keep the newest value of each trait. What was verified outweighs what was claimed, then
-- the later moment counts, then the message's key, so that order of arrival never does.
--
-- traits  jsonb  [{c customer_id, n name, x value|null, w trust, s source_id,
--                  at occurred_at, k message_key}, ...], one row per customer and name

INSERT INTO customers_trait AS kept
       (customer_id, name, value, trust, source_id, occurred_at, message_key)
SELECT c, n, NULLIF(x, 'null'::jsonb), w, s, at, k
  FROM jsonb_to_recordset(%(traits)s::jsonb) AS trait (
       c uuid, n text, x jsonb, w smallint, s int, at timestamptz, k uuid)
    ON CONFLICT (customer_id, name) DO UPDATE
   SET value = EXCLUDED.value, trust = EXCLUDED.trust, source_id = EXCLUDED.source_id,
       occurred_at = EXCLUDED.occurred_at, message_key = EXCLUDED.message_key
 WHERE (EXCLUDED.trust, EXCLUDED.occurred_at, EXCLUDED.message_key)
     > (kept.trust, kept.occurred_at, kept.message_key)
