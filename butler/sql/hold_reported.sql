-- Hold the customers of the messages that reports are about, in the order of ids, so that
-- nobody claims, settles or says anything of theirs meanwhile.
--
-- receipts  bigint[]
-- returns (message, live record)

SELECT message.id, live.id
  FROM butler_message AS message
  JOIN customers_customer AS record ON record.id = message.customer_id
  JOIN customers_customer AS live ON live.id = coalesce(record.canonical_id, record.id)
 WHERE message.id IN (SELECT message_id FROM butler_deliveryreceipt
                       WHERE id = ANY (%(receipts)s::bigint[]))
 ORDER BY live.id
   FOR NO KEY UPDATE OF live
