-- Queue uncertain messages of these classes once more, when no delivery report arrived in time.
--
-- now  timestamptz, classes  text[]

UPDATE butler_message
   SET state = 'queued', state_at = %(now)s, reason = 'uncertain'
 WHERE state = 'uncertain'
   AND message_class = ANY (%(classes)s)
   AND attempts < 2
   AND not_before <= %(now)s
   AND expires_at > %(now)s
