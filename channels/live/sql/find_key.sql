-- A key by its digest, whatever it may do; one that was revoked or ran out is not found.
--
-- digest  bytea

SELECT id,
       is_secret AND 'read' = ANY (scopes) AS may_read
  FROM customers_sourcekey
 WHERE digest = %(digest)s
   AND revoked_at IS NULL
   AND (expires_at IS NULL OR expires_at > now())
