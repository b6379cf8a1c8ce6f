-- Store new identifiers, sorted, so that all writers lock them in the same order. An identifier
-- that another transaction has stored meanwhile is not returned; the caller then repeats the
-- transaction.
--
-- identifiers    jsonb  [{kind, value, evidence, period, period_starts_at|null, refused,
--                         record_id|null, customer_id|null, best_evidence}, ...]
-- now            timestamptz

INSERT INTO customers_identifier
       (kind, value, evidence, period, period_starts_at, refused, record_id, customer_id,
        best_evidence, first_seen_at)
SELECT kind, value, evidence, period, period_starts_at, refused, record_id, customer_id,
       best_evidence, %(now)s
  FROM jsonb_to_recordset(%(identifiers)s::jsonb) AS identifier (
       kind text, value text, evidence smallint, period smallint, period_starts_at timestamptz,
       refused text[], record_id uuid, customer_id uuid, best_evidence smallint)
 ORDER BY kind, value, evidence, period
    ON CONFLICT (kind, value, evidence, period) DO NOTHING
RETURNING id, kind, value, evidence, period
