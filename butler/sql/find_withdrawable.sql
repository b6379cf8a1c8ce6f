-- Messages of an automation that can be withdrawn, with their live records. This statement locks
-- no row; withdraw_messages.sql checks the messages again.
--
-- key    text  the automation; "*": all of them
-- after  uuid  messages after this one, in the order of creation
-- limit  int, now  timestamptz

SELECT message.id, coalesce(record.canonical_id, record.id)
  FROM butler_message AS message
  JOIN customers_customer AS record ON record.id = message.customer_id
 WHERE message.id > %(after)s
   AND message.automation_id <> ''
   AND (%(key)s = '*' OR message.automation_id = %(key)s)
   AND (message.state = 'queued'
        OR (message.channel = 'inbox' AND message.state IN ('accepted', 'delivered')
            AND message.read_at IS NULL AND message.expires_at > %(now)s))
 ORDER BY message.id
 LIMIT %(limit)s
