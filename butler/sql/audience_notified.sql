-- Customers whom an automation notified about a topic today, a batch at a time. Queued messages
-- count, because they are sent before the next message.
--
-- automation, topic  text, since  uuid  the first id that a message of today can have
-- after  uuid, limit  int
-- returns customer ids, in order

SELECT DISTINCT coalesce(record.canonical_id, record.id)
  FROM butler_message AS message
  JOIN butler_run AS run ON run.id = message.run_id
  JOIN customers_customer AS record ON record.id = message.customer_id
 WHERE message.id >= %(since)s::uuid
   AND message.automation_id = %(automation)s
   AND message.state IN ('queued', 'sending', 'accepted', 'delivered', 'uncertain')
   AND run.cause->>'topic' = %(topic)s
   AND coalesce(record.canonical_id, record.id) > %(after)s::uuid
 ORDER BY 1
 LIMIT %(limit)s
