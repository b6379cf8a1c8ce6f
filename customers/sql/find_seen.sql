-- Which messages of a batch are on a log already, and with what content.
-- Run after the locks are held: a batch sent twice at once finds the first one's events.
--
-- keys  uuid[]  digests of source and message id

SELECT message_key, body_hash, customer_id, version
  FROM customers_event
 WHERE message_key = ANY (%(keys)s::uuid[])
