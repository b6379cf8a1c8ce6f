-- Store scans at a gate, and log the looks at the records that the answers name.
--
-- scans  jsonb  fields of customers_gatescan; code_digest in hexadecimal digits
-- looks  jsonb  customer_id, actor
-- at     timestamptz
-- source_id  int
-- returns the keys of the stored scans

WITH looked AS (
    INSERT INTO customers_accesslogentry (customer_id, at, actor, role, what, reason)
    SELECT customer_id, %(at)s, actor, 'api', 'gate', ''
      FROM jsonb_to_recordset(%(looks)s::jsonb) AS look (customer_id uuid, actor text)
)
INSERT INTO customers_gatescan (key, source_id, code_digest, order_key, guest, state, outcome,
                                device, place, staff, scanned_at, received_at)
SELECT key, %(source_id)s, decode(code_digest, 'hex'), order_key, guest, state, outcome,
       device, place, staff, scanned_at, %(at)s
  FROM jsonb_to_recordset(%(scans)s::jsonb)
       AS scan (key uuid, code_digest text, order_key text, guest text, state text, outcome text,
                device text, place text, staff text, scanned_at timestamptz)
    ON CONFLICT DO NOTHING
RETURNING key
