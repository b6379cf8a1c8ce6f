-- The occasions of a customer, newest first. The decisions of one run are one occasion, and so is
-- a message without a run. An occasion counts as sent if the last decision on one of its channels
-- was to send.
--
-- ids    uuid[]  all records of the customer
-- addresses  text[]  the addresses that a session opens: other messages have no name; null for all
-- record_ids  uuid[]  the records that a session opens; null for all. Decisions about the record as a
--         whole count from the time when one of them was merged into it
-- before_at, before_id  timestamptz, uuid  occasions whose newest decision is older (null: all)
-- is_sent  boolean  only those that were sent, or only those that were not (null: both)
-- limit  int
-- returns (occasion, decided_at, newest, automation, name by language as JSON, and as JSON the
-- last decision on each channel, newest first)

WITH decision_on_channel AS MATERIALIZED (
    SELECT id, coalesce(run_id, message_id, id) AS occasion, run_id, message_id,
           automation_id, outcome, decided_at, act ->> 'channel' AS channel
      FROM butler_decision
     WHERE customer_id = ANY (%(ids)s::uuid[])
       AND (%(record_ids)s::uuid[] IS NULL OR customer_id = ANY (%(record_ids)s::uuid[])
            OR EXISTS (SELECT
                         FROM customers_merge AS merge
                        WHERE merge.merged_into_id = butler_decision.customer_id
                          AND merge.record_id = ANY (%(record_ids)s::uuid[])
                          AND merge.undone_at IS NULL
                          AND merge.merged_at <= butler_decision.decided_at))
), last_decision AS (
    SELECT DISTINCT ON (occasion, channel) *
      FROM decision_on_channel
     ORDER BY occasion, channel, decided_at DESC, id DESC
), occasion AS (
    SELECT occasion,
           max(decided_at) AS decided_at,
           (array_agg(id ORDER BY decided_at DESC, id DESC))[1] AS newest,
           (array_agg(run_id ORDER BY decided_at DESC, id DESC))[1] AS run_id,
           max(automation_id) AS automation_id,
           array_agg(id ORDER BY decided_at DESC, id DESC) AS decisions,
           bool_or(outcome = 'send') AS is_sent
      FROM last_decision
     GROUP BY occasion
), page AS (
    SELECT *
      FROM occasion
     WHERE (%(before_at)s::timestamptz IS NULL
            OR (decided_at, newest) < (%(before_at)s::timestamptz, %(before_id)s::uuid))
       AND (%(is_sent)s::boolean IS NULL OR is_sent = %(is_sent)s::boolean)
     ORDER BY decided_at DESC, newest DESC
     LIMIT %(limit)s
)
SELECT page.occasion, page.decided_at, page.newest, page.automation_id,
       coalesce(version.document -> 'name', '{}')::text,
       (SELECT json_agg(json_build_object(
                   'id', decision.id, 'stage', decision.stage, 'outcome', decision.outcome,
                   'code', decision.code, 'act', decision.act, 'gates', decision.gates,
                   'until', decision.until, 'decided_at', decision.decided_at,
                   'customer_version', decision.customer_version,
                   'rules_version', decision.rules_version,
                   'message', message.id,
                   'state', CASE WHEN message.state IN ('suppressed', 'expired', 'queued')
                                   OR (message.state = 'withdrawn'
                                       AND message.handed_over_at IS NULL)
                                 THEN '' ELSE coalesce(message.state, '') END,
                   'subject', CASE WHEN message.state = 'withdrawn' THEN ''
                                   ELSE coalesce(message.subject, '') END)
                   ORDER BY decision.decided_at DESC, decision.id DESC)
          FROM butler_decision AS decision
          LEFT JOIN butler_message AS message
            ON message.id = decision.message_id
           AND (%(addresses)s::text[] IS NULL OR message.address = ''
                OR message.address = ANY (%(addresses)s::text[]))
         WHERE decision.id = ANY (page.decisions))::text
  FROM page
  LEFT JOIN butler_run AS run ON run.id = page.run_id
  LEFT JOIN butler_automationversion AS version ON version.id = run.version_id
 ORDER BY page.decided_at DESC, page.newest DESC
