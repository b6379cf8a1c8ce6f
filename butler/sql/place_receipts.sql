-- Note which messages reports are about that name them as the provider does. Their customers
-- are held. Where a provider gave one id to several attempts, the first attempt counts.
--
-- receipts  bigint[], messages  uuid[]

WITH place AS MATERIALIZED (
    SELECT DISTINCT ON (receipt.id) receipt.id, delivery.message_id
      FROM butler_deliveryreceipt AS receipt
      JOIN butler_delivery AS delivery
        ON delivery.provider = receipt.provider
       AND delivery.provider_id = receipt.provider_id
     WHERE receipt.id = ANY (%(receipts)s::bigint[])
       AND receipt.message_id IS NULL
       AND receipt.provider_id <> ''
       AND delivery.message_id = ANY (%(messages)s::uuid[])
     ORDER BY receipt.id, delivery.id
)
UPDATE butler_deliveryreceipt AS receipt
   SET message_id = place.message_id
  FROM place
 WHERE receipt.id = place.id
   AND receipt.message_id IS NULL
