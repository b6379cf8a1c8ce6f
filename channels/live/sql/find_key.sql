-- Find a key by its digest, with its rights and its source. A revoked or expired key is not found.
--
-- digest  bytea

SELECT key.id,
       key.is_secret AND 'read' = ANY (key.scopes) AS may_read,
       key.is_secret AND 'read-for' = ANY (key.scopes) AS may_read_for,
       source.id, source.name, source.channel, source.default_region
  FROM customers_sourcekey AS key
  JOIN customers_source AS source ON source.id = key.source_id
 WHERE key.digest = %(digest)s
   AND key.revoked_at IS NULL
   AND (key.expires_at IS NULL OR key.expires_at > now())
