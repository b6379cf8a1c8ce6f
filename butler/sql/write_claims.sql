-- What a claim came to: attempts for what may leave, with a lease on the database's own clock,
-- and the new state of everything that was looked at.
--
-- seconds  double precision  how long the lease is
-- channel, provider  text, now  timestamptz
-- leaving  jsonb [{message, delivery, number, customer, version, takes, language, address,
--                  subject, text}, ...]
-- staying  jsonb [{message, state, reason, not_before}, ...]

WITH leaving AS MATERIALIZED (
    SELECT *
      FROM jsonb_to_recordset(%(leaving)s::jsonb) AS one (
           message uuid, delivery uuid, number smallint, customer uuid, version bigint,
           takes jsonb, language text, address text, subject text, text text)
), staying AS MATERIALIZED (
    SELECT *
      FROM jsonb_to_recordset(%(staying)s::jsonb) AS one (
           message uuid, state text, reason text, not_before timestamptz)
), attempt AS (
    INSERT INTO butler_delivery
           (id, message_id, number, customer_id, channel, provider, customer_version,
            claimed_at, lease_until, outcome, provider_id, code, detail, takes)
    SELECT delivery, message, number, customer, %(channel)s, %(provider)s, version,
           %(now)s, clock_timestamp() + make_interval(secs => %(seconds)s), '', '', '', '', takes
      FROM leaving
), sent AS (
    UPDATE butler_message AS message
       SET state = 'sending', state_at = %(now)s, reason = '', attempts = leaving.number,
           customer_id = leaving.customer, language = leaving.language,
           address = leaving.address, subject = leaving.subject, text = leaving.text
      FROM leaving
     WHERE message.id = leaving.message
), kept AS (
    UPDATE butler_message AS message
       SET state = staying.state, state_at = %(now)s, reason = staying.reason,
           not_before = coalesce(staying.not_before, message.not_before)
      FROM staying
     WHERE message.id = staying.message
)
INSERT INTO butler_budgetuse (customer_id, scope, "window", used)
SELECT leaving.customer, taken.one ->> 0, taken.one ->> 1, count(*)
  FROM leaving, jsonb_array_elements(leaving.takes) AS taken (one)
 GROUP BY 1, 2, 3
    ON CONFLICT (customer_id, scope, "window")
    DO UPDATE SET used = butler_budgetuse.used + excluded.used
