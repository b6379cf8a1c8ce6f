-- Let messages go once more of which nobody knows whether they arrived, where hearing twice is
-- better than not at all, nothing was heard in time, and they were not sent again before.
--
-- now  timestamptz, classes  text[]

UPDATE butler_message
   SET state = 'queued', state_at = %(now)s, reason = 'uncertain'
 WHERE state = 'uncertain'
   AND message_class = ANY (%(classes)s)
   AND attempts < 2
   AND not_before <= %(now)s
   AND expires_at > %(now)s
