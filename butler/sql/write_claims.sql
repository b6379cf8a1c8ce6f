-- Write the result of a claim: a delivery for each message that may be sent, with a lease by the
-- clock of the database, and the new state of each message that may not be sent.
--
-- seconds  double precision  the length of the lease
-- channel, provider  text, now  timestamptz
-- outgoing  jsonb [{message_id, delivery_id, number, customer_id, customer_version,
--                  budget_windows, language, address, subject, text}, ...]
-- state_changes  jsonb [{message_id, state, reason, not_before}, ...]

WITH outgoing AS MATERIALIZED (
    SELECT *
      FROM jsonb_to_recordset(%(outgoing)s::jsonb) AS outgoing (
           message_id uuid, delivery_id uuid, number smallint, customer_id uuid,
           customer_version bigint, budget_windows jsonb, language text, address text,
           subject text, text text)
), changed AS MATERIALIZED (
    SELECT *
      FROM jsonb_to_recordset(%(state_changes)s::jsonb) AS changed (
           message_id uuid, state text, reason text, not_before timestamptz)
), delivery AS (
    INSERT INTO butler_delivery
           (id, message_id, number, customer_id, channel, provider, customer_version,
            claimed_at, lease_until, outcome, provider_id, code, detail, budget_windows)
    SELECT delivery_id, message_id, number, customer_id, %(channel)s, %(provider)s,
           customer_version, %(now)s, clock_timestamp() + make_interval(secs => %(seconds)s),
           '', '', '', '', budget_windows
      FROM outgoing
), sending AS (
    UPDATE butler_message AS message
       SET state = 'sending', state_at = %(now)s, reason = '', attempts = outgoing.number,
           customer_id = outgoing.customer_id, language = outgoing.language,
           address = outgoing.address, subject = outgoing.subject, text = outgoing.text
      FROM outgoing
     WHERE message.id = outgoing.message_id
), kept_back AS (
    UPDATE butler_message AS message
       SET state = changed.state, state_at = %(now)s, reason = changed.reason,
           not_before = coalesce(changed.not_before, message.not_before)
      FROM changed
     WHERE message.id = changed.message_id
)
INSERT INTO butler_budgetuse (customer_id, scope, "window", used)
SELECT outgoing.customer_id, budget.scope_and_window ->> 0, budget.scope_and_window ->> 1,
       count(*)
  FROM outgoing, jsonb_array_elements(outgoing.budget_windows) AS budget (scope_and_window)
 GROUP BY 1, 2, 3
    ON CONFLICT (customer_id, scope, "window")
    DO UPDATE SET used = butler_budgetuse.used + excluded.used
