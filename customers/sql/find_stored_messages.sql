-- Which messages of a batch are on a log already, and with what content.
-- Run after the locks are held: a batch sent twice at once finds the first one's events.
--
-- keys  text, an array of digests of source, class of the key and message id, as hex

SELECT encode(uuid_send(message_key), 'hex'), encode(uuid_send(body_hash), 'hex'),
       customer_id, version
  FROM customers_event
 WHERE message_key = ANY (%(keys)s::uuid[])
