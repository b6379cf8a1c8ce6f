-- Note which messages reports are about that name them as the provider does. Their customers
-- are held.
--
-- receipts  bigint[], messages  uuid[]

UPDATE butler_deliveryreceipt AS receipt
   SET message_id = delivery.message_id
  FROM butler_delivery AS delivery
 WHERE receipt.id = ANY (%(receipts)s::bigint[])
   AND receipt.message_id IS NULL
   AND receipt.provider_id <> ''
   AND delivery.provider = receipt.provider
   AND delivery.provider_id = receipt.provider_id
   AND delivery.message_id = ANY (%(messages)s::uuid[])
