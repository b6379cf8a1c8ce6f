-- Deliveries whose lease expired without an outcome, the oldest first. Leases of the last second
-- are left out, because senders may be writing their outcomes.
--
-- limit  int

SELECT delivery.id, delivery.message_id, message.message_class, delivery.number
  FROM butler_delivery AS delivery
  JOIN butler_message AS message ON message.id = delivery.message_id
 WHERE delivery.outcome = ''
   AND delivery.lease_until < clock_timestamp() - interval '1 second'
 ORDER BY delivery.lease_until, delivery.id
 LIMIT %(limit)s
