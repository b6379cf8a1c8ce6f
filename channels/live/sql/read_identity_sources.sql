-- The sources that sign identity tokens, with their secrets.
--
-- source_ids  bigint[]

SELECT id, name, channel, default_region, identity_secrets
  FROM customers_source
 WHERE id = ANY (%(source_ids)s::bigint[])
