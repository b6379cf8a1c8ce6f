-- Write the outcomes of deliveries. A delivery gets one outcome; only `uncertain` can be replaced.
-- Messages that were not sent no longer count in their budget windows.
--
-- now  timestamptz
-- outcomes  jsonb [{delivery_id, outcome, provider_id, code, detail, latency_ms,
--                   state, reason, not_before, is_refunded}, ...]
-- returns (delivery, message, customer, channel, outcome) of the deliveries that were updated

WITH attempt_outcome AS MATERIALIZED (
    SELECT *
      FROM jsonb_to_recordset(%(outcomes)s::jsonb) AS attempt_outcome (
           delivery_id uuid, outcome text, provider_id text, code text, detail text,
           latency_ms int, state text, reason text, not_before timestamptz, is_refunded boolean)
), updated_delivery AS (
    UPDATE butler_delivery AS delivery
       SET outcome = attempt_outcome.outcome, outcome_at = %(now)s,
           provider_id = attempt_outcome.provider_id, code = attempt_outcome.code,
           detail = attempt_outcome.detail, latency_ms = attempt_outcome.latency_ms
      FROM attempt_outcome
     WHERE delivery.id = attempt_outcome.delivery_id
       AND (delivery.outcome = '' OR (delivery.outcome = 'uncertain'
                                      AND attempt_outcome.outcome IN ('accepted', 'rejected')))
 RETURNING delivery.id, delivery.message_id, delivery.customer_id, delivery.channel,
           delivery.number, delivery.budget_windows, attempt_outcome.outcome,
           attempt_outcome.state, attempt_outcome.reason, attempt_outcome.not_before,
           attempt_outcome.is_refunded
), updated_message AS (
    UPDATE butler_message AS message
       SET state = CASE WHEN updated_delivery.state = 'queued' AND message.expires_at <= %(now)s
                        THEN 'expired' ELSE updated_delivery.state END,
           state_at = %(now)s, reason = updated_delivery.reason,
           not_before = coalesce(updated_delivery.not_before, message.not_before),
           handed_over_at = CASE WHEN updated_delivery.outcome IN ('accepted', 'uncertain')
                                 THEN coalesce(message.handed_over_at, %(now)s)
                                 ELSE message.handed_over_at END
      FROM updated_delivery
     WHERE message.id = updated_delivery.message_id
       AND message.state IN ('sending', 'uncertain')
       AND message.attempts = updated_delivery.number
), refund AS (
    SELECT updated_delivery.customer_id, budget.scope_and_window ->> 0 AS scope,
           budget.scope_and_window ->> 1 AS "window", count(*) AS uses
      FROM updated_delivery,
           jsonb_array_elements(updated_delivery.budget_windows) AS budget (scope_and_window)
     WHERE updated_delivery.is_refunded
     GROUP BY 1, 2, 3
), refunded AS (
    UPDATE butler_budgetuse AS budget
       SET used = greatest(0, budget.used - refund.uses)
      FROM refund
     WHERE budget.customer_id = refund.customer_id
       AND budget.scope = refund.scope
       AND budget."window" = refund."window"
)
SELECT id, message_id, customer_id, channel, outcome FROM updated_delivery
