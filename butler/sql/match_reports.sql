-- Set the message of reports that contain only the provider's id. The caller has locked the
-- customers. If a provider gave one id to several deliveries, the first delivery counts.
--
-- reports  bigint[], messages  uuid[]

WITH match AS MATERIALIZED (
    SELECT DISTINCT ON (report.id) report.id, delivery.message_id
      FROM butler_deliveryreceipt AS report
      JOIN butler_delivery AS delivery
        ON delivery.provider = report.provider
       AND delivery.provider_id = report.provider_id
     WHERE report.id = ANY (%(reports)s::bigint[])
       AND report.message_id IS NULL
       AND report.provider_id <> ''
       AND delivery.message_id = ANY (%(messages)s::uuid[])
     ORDER BY report.id, delivery.id
)
UPDATE butler_deliveryreceipt AS report
   SET message_id = match.message_id
  FROM match
 WHERE report.id = match.id
   AND report.message_id IS NULL
