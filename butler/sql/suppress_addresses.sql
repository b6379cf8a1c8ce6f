-- Suppress the addresses of messages.
--
-- suppressions  jsonb [{message_id, reason, evidence}, ...], now  timestamptz

INSERT INTO customers_suppression (channel, address, reason, evidence, since)
SELECT DISTINCT ON (message.channel, message.address, suppression.reason)
       message.channel, message.address, suppression.reason, suppression.evidence, %(now)s
  FROM jsonb_to_recordset(%(suppressions)s::jsonb)
       AS suppression (message_id uuid, reason text, evidence text)
  JOIN butler_message AS message ON message.id = suppression.message_id
 WHERE message.address <> ''
 ORDER BY message.channel, message.address, suppression.reason, message.id, suppression.evidence
    ON CONFLICT (channel, address, reason) WHERE lifted_at IS NULL DO NOTHING
