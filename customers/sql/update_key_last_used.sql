-- Store the time of the last use of a key, at most once a minute and without waiting for a lock.
--
-- id  bigint

UPDATE customers_sourcekey
   SET last_used_at = now()
 WHERE id = (SELECT id
               FROM customers_sourcekey
              WHERE id = %(id)s
                AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
                FOR NO KEY UPDATE SKIP LOCKED)
RETURNING id
