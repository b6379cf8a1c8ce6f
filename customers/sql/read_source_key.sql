-- Read the source and the rights of a valid key. There is no cache, so a revoked key is refused at
-- once.
--
-- digest  bytea  SHA-256 of the key
-- returns the id of the key, whether its last use should be recorded, its rights, its source and
--         the space of its source

SELECT key.id,
       key.last_used_at IS NULL OR key.last_used_at < now() - interval '1 minute' AS is_stale,
       key.is_secret, key.scopes,
       source.id AS source_id, source.name, source.channel, source.is_shared,
       source.default_region, source.addresses,
       space.id AS space_id, space.name AS space,
       space.ids_per_person = 'several' AS has_several_ids,
       source.order_numbers = 'yearly' AS has_yearly_orders
  FROM customers_sourcekey AS key
  JOIN customers_source AS source ON source.id = key.source_id
  JOIN customers_space AS space ON space.id = source.space_id
 WHERE key.digest = %(digest)s
   AND key.revoked_at IS NULL
   AND (key.expires_at IS NULL OR key.expires_at > now())
