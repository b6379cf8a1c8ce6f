-- Use a ticket: whoever deletes the row has it, so that it serves once.
--
-- digest  bytea

DELETE FROM channels_streamticket
 WHERE digest = %(digest)s
   AND expires_at > now()
RETURNING session_key
