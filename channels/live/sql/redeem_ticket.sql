-- Redeem a ticket by deleting its row, so that it works once.
--
-- digest  bytea

DELETE FROM channels_streamticket
 WHERE digest = %(digest)s
   AND expires_at > now()
RETURNING session_key
