-- Store identifiers that nobody has seen before, sorted, so that two writers lock in one order.
-- One that another transaction stored meanwhile is not returned: the caller starts over.
--
-- identifiers  jsonb  [{kind, value, evidence, record_id|null, customer_id|null}, ...]
-- now          timestamptz

INSERT INTO customers_identifier
       (kind, value, evidence, record_id, customer_id, first_seen_at)
SELECT kind, value, evidence, record_id, customer_id, %(now)s
  FROM jsonb_to_recordset(%(identifiers)s::jsonb) AS identifier (
       kind text, value text, evidence smallint, record_id uuid, customer_id uuid)
 ORDER BY kind, value, evidence
    ON CONFLICT (kind, value, evidence) DO NOTHING
RETURNING id, kind, value, evidence
