-- Which of these keys may still read every record, and which may read for accounts.
--
-- key_ids  bigint[]

SELECT id, 'read' = ANY (scopes) AS may_read, 'read-for' = ANY (scopes) AS may_read_for
  FROM customers_sourcekey
 WHERE id = ANY (%(key_ids)s::bigint[])
   AND revoked_at IS NULL
   AND (expires_at IS NULL OR expires_at > now())
   AND is_secret
