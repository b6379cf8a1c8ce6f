-- Read the newest calls and SMS that are filed on the record of a phone.
--
-- record_id  uuid
-- limit      int
-- returns (log, version)

SELECT customer_id, version
  FROM customers_filed_events(%(record_id)s::uuid) AS event
 WHERE event.about LIKE 'call:%%' OR event.name = 'Message Received'
 ORDER BY occurred_at DESC, version DESC
 LIMIT %(limit)s
