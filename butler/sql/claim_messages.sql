-- Lock queued messages of one channel, the most urgent first, and return them with their live
-- records. Messages that another transaction has locked are skipped.
--
-- channel  text, now  timestamptz, limit  int

SELECT message.id, coalesce(record.canonical_id, record.id),
       message.key, message.run_id, message.automation_id, message.version_id, message.step,
       message.message_class, message.topic, message.purpose, message.relation,
       message.occurred_at, message.expires_at, message.created_at, message.attempts,
       message.facts::text
  FROM butler_message AS message
  JOIN customers_customer AS record ON record.id = message.customer_id
 WHERE message.state = 'queued'
   AND message.channel = %(channel)s
   AND message.not_before <= %(now)s
 ORDER BY message.priority, message.not_before, message.id
 LIMIT %(limit)s
   FOR UPDATE OF message SKIP LOCKED
