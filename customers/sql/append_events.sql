-- Put a batch of events on the logs of their customers and move the heads, in one statement.
-- The heads are locked (resolve_identifiers ran), so the versions are free. A message that
-- another transaction stored meanwhile breaks the unique key: the caller starts over.
--
-- source_id, trust, received_at   of the whole batch
-- events  jsonb  [{c customer_id, v version, o origin_id|null, m message_id, k message_key,
--                  h body_hash, t kind, n name, a about, w actor, i identifier_ids,
--                  at occurred_at, b body}, ...]

WITH appended AS (
    INSERT INTO customers_event
           (customer_id, version, origin_id, source_id, message_id, message_key, body_hash,
            kind, name, about, trust, actor, identifier_ids, occurred_at, received_at, body)
    SELECT c, v, o, %(source_id)s, m, k, h, t, n, a, %(trust)s, w, i, at,
           %(received_at)s, b
      FROM jsonb_to_recordset(%(events)s::jsonb) AS event (
           c uuid, v bigint, o uuid, m text, k uuid, h uuid, t text, n text, a text, w text,
           i bigint[], at timestamptz, b jsonb)
 RETURNING customer_id, version, occurred_at
)
UPDATE customers_customer AS customer
   SET version = head.version,
       last_seen_at = GREATEST(customer.last_seen_at, head.occurred_at)
  FROM (SELECT customer_id, max(version) AS version, max(occurred_at) AS occurred_at
          FROM appended
         GROUP BY customer_id) AS head
 WHERE customer.id = head.customer_id
