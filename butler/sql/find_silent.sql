-- Attempts whose lease ran out before anybody said what came of them, oldest first. A second
-- is left for whoever is just about to say so.
--
-- most  int

SELECT delivery.id, delivery.message_id, message.message_class, delivery.number
  FROM butler_delivery AS delivery
  JOIN butler_message AS message ON message.id = delivery.message_id
 WHERE delivery.outcome = ''
   AND delivery.lease_until < clock_timestamp() - interval '1 second'
 ORDER BY delivery.lease_until, delivery.id
 LIMIT %(most)s
