-- Messages with all their reports. Messages with a delivery in flight are left out, because the
-- outcome of the delivery must be written first.
--
-- messages  uuid[]
-- returns (message, channel, state, reason, reports as JSON with their id and whether applied)

SELECT message.id, message.channel, message.state, message.reason,
       jsonb_agg(jsonb_build_object(
           'id', report.id, 'is_new', report.applied_at IS NULL,
           'event_id', report.provider || ':' || report.event_id, 'kind', report.kind,
           'occurred_at', report.occurred_at, 'provider_id', report.provider_id,
           'detail', report.detail)
           ORDER BY report.id)
  FROM butler_message AS message
  JOIN butler_deliveryreceipt AS report ON report.message_id = message.id
 WHERE message.id = ANY (%(messages)s::uuid[])
   AND NOT EXISTS (SELECT FROM butler_delivery AS delivery
                    WHERE delivery.message_id = message.id AND delivery.outcome = '')
 GROUP BY message.id
 ORDER BY message.id
