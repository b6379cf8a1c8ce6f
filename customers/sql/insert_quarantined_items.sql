-- Store items that cannot become events, unchanged and with the reason. An item that is sent again
-- makes no second row.

INSERT INTO customers_quarantineditem
       (source_id, evidence, is_secret, received_at, message_id, reason, detail, raw, digest)
SELECT %(source_id)s, %(evidence)s, %(is_secret)s, %(received_at)s, rejected.*
  FROM unnest(%(message_ids)s::text[], %(reasons)s::text[], %(details)s::text[],
              %(raws)s::bytea[], %(digests)s::uuid[])
       AS rejected (message_id, reason, detail, raw, digest)
    ON CONFLICT (digest) DO NOTHING
