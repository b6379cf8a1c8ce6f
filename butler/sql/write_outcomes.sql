-- What came of attempts. An attempt has one outcome; only that we did not know can be
-- corrected by somebody who does. Budgets that were taken for nothing are given back.
--
-- now  timestamptz
-- outcomes  jsonb [{delivery, outcome, provider_id, code, detail, latency_ms,
--                   state, reason, not_before, is_refunded}, ...]
-- returns (delivery, message, customer, channel, outcome) of what was written

WITH said AS MATERIALIZED (
    SELECT *
      FROM jsonb_to_recordset(%(outcomes)s::jsonb) AS one (
           delivery uuid, outcome text, provider_id text, code text, detail text,
           latency_ms int, state text, reason text, not_before timestamptz, is_refunded boolean)
), settled AS (
    UPDATE butler_delivery AS delivery
       SET outcome = said.outcome, outcome_at = %(now)s, provider_id = said.provider_id,
           code = said.code, detail = said.detail, latency_ms = said.latency_ms
      FROM said
     WHERE delivery.id = said.delivery
       AND (delivery.outcome = '' OR (delivery.outcome = 'uncertain'
                                      AND said.outcome IN ('accepted', 'rejected')))
 RETURNING delivery.id, delivery.message_id, delivery.customer_id, delivery.channel,
           delivery.number, delivery.takes, said.outcome, said.state, said.reason,
           said.not_before, said.is_refunded
), moved AS (
    UPDATE butler_message AS message
       SET state = CASE WHEN settled.state = 'queued' AND message.expires_at <= %(now)s
                        THEN 'expired' ELSE settled.state END,
           state_at = %(now)s, reason = settled.reason,
           not_before = coalesce(settled.not_before, message.not_before),
           handed_over_at = CASE WHEN settled.outcome IN ('accepted', 'uncertain')
                                 THEN coalesce(message.handed_over_at, %(now)s)
                                 ELSE message.handed_over_at END
      FROM settled
     WHERE message.id = settled.message_id
       AND message.state IN ('sending', 'uncertain')
       AND message.attempts = settled.number
), returned AS (
    SELECT settled.customer_id, taken.one ->> 0 AS scope, taken.one ->> 1 AS "window",
           count(*) AS n
      FROM settled, jsonb_array_elements(settled.takes) AS taken (one)
     WHERE settled.is_refunded
     GROUP BY 1, 2, 3
), given_back AS (
    UPDATE butler_budgetuse AS budget
       SET used = greatest(0, budget.used - returned.n)
      FROM returned
     WHERE budget.customer_id = returned.customer_id
       AND budget.scope = returned.scope
       AND budget."window" = returned."window"
)
SELECT id, message_id, customer_id, channel, outcome FROM settled
