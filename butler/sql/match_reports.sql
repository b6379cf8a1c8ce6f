-- Set the message of reports that name it by the provider's id. The customers are locked. Where a
-- provider gave one id to several deliveries, the first one counts.
--
-- receipts  bigint[], messages  uuid[]

WITH match AS MATERIALIZED (
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
   SET message_id = match.message_id
  FROM match
 WHERE receipt.id = match.id
   AND receipt.message_id IS NULL
