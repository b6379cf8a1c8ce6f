-- Insert queued messages. A message whose key already exists is not changed.
--
-- messages  jsonb  [{id, key, customer_id, run_id, automation_id, version_id, step, channel,
--                    message_class, topic, purpose, relation, priority, occurred_at,
--                    expires_at, facts, language}, ...]
-- now       timestamptz

INSERT INTO butler_message
       (id, key, customer_id, run_id, automation_id, version_id, step, channel, message_class,
        topic, purpose, relation, priority, occurred_at, not_before, expires_at, created_at,
        state, state_at, reason, facts, language, address, subject, text)
SELECT id, key, customer_id, run_id, automation_id, version_id, step, channel, message_class,
       topic, purpose, relation, priority, occurred_at, %(now)s, expires_at, %(now)s,
       'queued', %(now)s, '', facts, language, '', '', ''
  FROM jsonb_to_recordset(%(messages)s::jsonb) AS message (
       id uuid, key text, customer_id uuid, run_id uuid, automation_id text, version_id bigint,
       step text, channel text, message_class text, topic text, purpose text, relation text,
       priority smallint, occurred_at timestamptz, expires_at timestamptz, facts jsonb,
       language text)
    ON CONFLICT (key) DO NOTHING
