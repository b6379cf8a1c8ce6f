-- Redeem a ticket by deleting its row, so that it works once. It was issued to a session, or to the
-- reader of an account.
--
-- digest  bytea

DELETE FROM channels_streamticket
 WHERE digest = %(digest)s
   AND expires_at > now()
RETURNING session_key, account::text
