-- The reports about these deliveries that arrived before the outcome was written.
--
-- deliveries  uuid[]
-- returns the ids of the reports

SELECT report.id
  FROM butler_delivery AS delivery
  JOIN butler_deliveryreceipt AS report ON report.message_id = delivery.message_id
 WHERE delivery.id = ANY (%(deliveries)s::uuid[]) AND report.applied_at IS NULL
UNION
SELECT report.id
  FROM butler_delivery AS delivery
  JOIN butler_deliveryreceipt AS report
    ON report.provider = delivery.provider AND report.provider_id = delivery.provider_id
 WHERE delivery.id = ANY (%(deliveries)s::uuid[])
   AND delivery.provider_id <> ''
   AND report.applied_at IS NULL
