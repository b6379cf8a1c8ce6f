-- Lock the customers of the messages of reports, in the order of their ids. All writers of
-- outcomes lock the customers before they write, so that they cannot deadlock.
--
-- reports  bigint[]
-- returns (message, live record), without records that were merged during the wait for the lock

WITH reported AS MATERIALIZED (
    SELECT report.message_id
      FROM butler_deliveryreceipt AS report
     WHERE report.id = ANY (%(reports)s::bigint[])
       AND report.message_id IS NOT NULL
    UNION
    SELECT delivery.message_id
      FROM butler_deliveryreceipt AS report
      JOIN butler_delivery AS delivery
        ON delivery.provider = report.provider
       AND delivery.provider_id = report.provider_id
     WHERE report.id = ANY (%(reports)s::bigint[])
       AND report.message_id IS NULL
       AND report.provider_id <> ''
)
SELECT message.id, live.id
  FROM reported
  JOIN butler_message AS message ON message.id = reported.message_id
  JOIN customers_customer AS record ON record.id = message.customer_id
  JOIN customers_customer AS live ON live.id = coalesce(record.canonical_id, record.id)
 WHERE live.canonical_id IS NULL
 ORDER BY live.id, message.id
   FOR NO KEY UPDATE OF live
