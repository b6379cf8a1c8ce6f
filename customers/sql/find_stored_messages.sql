-- Find the messages of a batch that are already on a log, with the hashes of their content.
-- The caller holds the locks. So if a batch is sent twice at the same time, the second transaction
-- finds the events of the first.
--
-- keys  text  an array of message keys (digests of source, key class and message id) in hex

SELECT encode(uuid_send(message_key), 'hex'), encode(uuid_send(body_hash), 'hex'),
       customer_id, version
  FROM customers_event
 WHERE message_key = ANY (%(keys)s::uuid[])
