-- Insert staff tasks. A task whose key already exists is not changed.
--
-- tasks  jsonb  [{id, key, kind, customer_id, automation_id, title, body, due_at}, ...]

INSERT INTO butler_stafftask
       (id, key, kind, customer_id, automation_id, title, body, due_at, taken_by, outcome, note)
SELECT id, key, kind, customer_id, automation_id, title, body, due_at, '', '', ''
  FROM jsonb_to_recordset(%(tasks)s::jsonb) AS task (
       id uuid, key text, kind text, customer_id uuid, automation_id text, title text,
       body text, due_at timestamptz)
    ON CONFLICT (key) DO NOTHING
