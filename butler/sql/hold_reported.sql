-- Hold the customers of the messages that reports are about, in the order of ids, so that
-- nobody claims, settles or says anything of theirs meanwhile. Before anything is written:
-- whoever writes down what came of messages takes customers first.
--
-- receipts  bigint[]
-- returns (message, live record); who is just being joined to another is left for the next time

WITH named AS MATERIALIZED (
    SELECT receipt.message_id
      FROM butler_deliveryreceipt AS receipt
     WHERE receipt.id = ANY (%(receipts)s::bigint[])
       AND receipt.message_id IS NOT NULL
    UNION
    SELECT delivery.message_id
      FROM butler_deliveryreceipt AS receipt
      JOIN butler_delivery AS delivery
        ON delivery.provider = receipt.provider
       AND delivery.provider_id = receipt.provider_id
     WHERE receipt.id = ANY (%(receipts)s::bigint[])
       AND receipt.message_id IS NULL
       AND receipt.provider_id <> ''
)
SELECT message.id, live.id
  FROM named
  JOIN butler_message AS message ON message.id = named.message_id
  JOIN customers_customer AS record ON record.id = message.customer_id
  JOIN customers_customer AS live ON live.id = coalesce(record.canonical_id, record.id)
 WHERE live.canonical_id IS NULL
 ORDER BY live.id, message.id
   FOR NO KEY UPDATE OF live
