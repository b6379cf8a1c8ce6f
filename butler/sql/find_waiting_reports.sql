-- The reports about these deliveries that came before their outcome was written.
--
-- deliveries  uuid[]
-- returns the ids of the reports

SELECT receipt.id
  FROM butler_delivery AS delivery
  JOIN butler_deliveryreceipt AS receipt ON receipt.message_id = delivery.message_id
 WHERE delivery.id = ANY (%(deliveries)s::uuid[]) AND receipt.applied_at IS NULL
UNION
SELECT receipt.id
  FROM butler_delivery AS delivery
  JOIN butler_deliveryreceipt AS receipt
    ON receipt.provider = delivery.provider AND receipt.provider_id = delivery.provider_id
 WHERE delivery.id = ANY (%(deliveries)s::uuid[])
   AND delivery.provider_id <> ''
   AND receipt.applied_at IS NULL
