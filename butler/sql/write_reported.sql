-- Write down where messages are after what was reported, and that the reports are taken in.
-- What nobody knew to have left is known to have, where a report proves it.
--
-- now  timestamptz
-- moved  jsonb [{message, state, reason, at, has_left, provider_id}, ...]
-- receipts  bigint[]

WITH said AS MATERIALIZED (
    SELECT *
      FROM jsonb_to_recordset(%(moved)s::jsonb) AS one (
           message uuid, state text, reason text, at timestamptz, has_left boolean,
           provider_id text)
), applied AS (
    UPDATE butler_deliveryreceipt SET applied_at = %(now)s
     WHERE id = ANY (%(receipts)s::bigint[])
), proved AS (
    UPDATE butler_delivery AS delivery
       SET outcome = 'accepted',
           provider_id = CASE WHEN delivery.provider_id = '' THEN said.provider_id
                              ELSE delivery.provider_id END
      FROM said
     WHERE said.has_left
       AND delivery.id = (SELECT one.id FROM butler_delivery AS one
                           WHERE one.message_id = said.message AND one.outcome = 'uncertain'
                           ORDER BY one.number LIMIT 1)
)
UPDATE butler_message AS message
   SET state = said.state, reason = left(said.reason, 64),
       state_at = coalesce(said.at, message.state_at)
  FROM said
 WHERE message.id = said.message
