-- Write the states of messages after their reports, and mark the reports as applied. If a report
-- proves that the provider had the message, its uncertain delivery becomes accepted (is_accepted).
--
-- now  timestamptz
-- new_states  jsonb [{message_id, state, reason, at, is_accepted, provider_id}, ...]
-- reports  bigint[]

WITH new_state AS MATERIALIZED (
    SELECT *
      FROM jsonb_to_recordset(%(new_states)s::jsonb) AS new_state (
           message_id uuid, state text, reason text, at timestamptz, is_accepted boolean,
           provider_id text)
), applied AS (
    UPDATE butler_deliveryreceipt SET applied_at = %(now)s
     WHERE id = ANY (%(reports)s::bigint[])
), accepted_delivery AS (
    UPDATE butler_delivery AS delivery
       SET outcome = 'accepted',
           provider_id = CASE WHEN delivery.provider_id = '' THEN new_state.provider_id
                              ELSE delivery.provider_id END
      FROM new_state
     WHERE new_state.is_accepted
       AND delivery.id = (SELECT uncertain.id FROM butler_delivery AS uncertain
                           WHERE uncertain.message_id = new_state.message_id
                             AND uncertain.outcome = 'uncertain'
                           ORDER BY uncertain.number LIMIT 1)
)
UPDATE butler_message AS message
   SET state = new_state.state, reason = left(new_state.reason, 64),
       state_at = coalesce(new_state.at, message.state_at)
  FROM new_state
 WHERE message.id = new_state.message_id
