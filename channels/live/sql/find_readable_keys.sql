-- Which of these keys may still read records.
--
-- key_ids  bigint[]

SELECT id
  FROM customers_sourcekey
 WHERE id = ANY (%(key_ids)s::bigint[])
   AND revoked_at IS NULL
   AND (expires_at IS NULL OR expires_at > now())
   AND is_secret
   AND 'read' = ANY (scopes)
