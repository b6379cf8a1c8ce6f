-- Note that nothing is to go to the addresses of these messages any more.
--
-- said  jsonb [{message, reason, evidence}, ...], now  timestamptz

INSERT INTO customers_suppression (channel, address, reason, evidence, since)
SELECT DISTINCT ON (message.channel, message.address, said.reason)
       message.channel, message.address, said.reason, said.evidence, %(now)s
  FROM jsonb_to_recordset(%(said)s::jsonb) AS said (message uuid, reason text, evidence text)
  JOIN butler_message AS message ON message.id = said.message
 WHERE message.address <> ''
 ORDER BY message.channel, message.address, said.reason, message.id, said.evidence
    ON CONFLICT (channel, address, reason) WHERE lifted_at IS NULL DO NOTHING
