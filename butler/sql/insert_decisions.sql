-- Insert decisions, with the gate of every check.
--
-- decisions  jsonb [{id, customer_id, run_id, message_id, automation_id, stage, outcome, code,
--                    act, gates, until, customer_version, rules_version, decided_at}, ...]

INSERT INTO butler_decision
       (id, customer_id, run_id, message_id, automation_id, stage, outcome, code, act, gates,
        until, customer_version, rules_version, decided_at)
SELECT id, customer_id, run_id, message_id, automation_id, stage, outcome, code, act, gates,
       until, customer_version, rules_version, decided_at
  FROM jsonb_to_recordset(%(decisions)s::jsonb) AS decision (
       id uuid, customer_id uuid, run_id uuid, message_id uuid, automation_id text, stage text,
       outcome text, code text, act jsonb, gates jsonb, until timestamptz,
       customer_version bigint, rules_version text, decided_at timestamptz)
