-- Insert ended runs for customers whom the automation cannot reach. The run makes the occasion
-- unique, and its decisions have the reasons. A customer with a run of this occasion gets no new
-- run and no decision.
--
-- version    bigint
-- occasion   text, cause  jsonb, now  timestamptz, rules_version  text
-- decision_ids, run_ids, customer_ids  uuid[], due_times  timestamptz[],
-- refusals, choices  int[]  each decision with its run, and the numbers of its refusal and of
--            its choice of channels; the choices of one run count from 0
-- reasons    jsonb  [{refusal, choice, code, act, gates}, ...]

WITH refused AS MATERIALIZED (
    SELECT refused.*, version.automation_id
      FROM unnest(%(decision_ids)s::uuid[], %(run_ids)s::uuid[], %(customer_ids)s::uuid[],
                  %(due_times)s::timestamptz[], %(refusals)s::int[], %(choices)s::int[])
           AS refused (decision_id, run_id, customer_id, due_at, refusal, choice)
      JOIN butler_automationversion AS version ON version.id = %(version)s
     WHERE version.status = 'live'
       AND version.live_at <= refused.due_at
), inserted AS (
    INSERT INTO butler_run
           (id, automation_id, version_id, customer_id, occasion, cause, occurred_at, status,
            step, awaited, awaited_about, reason, created_at, ended_at)
    SELECT run_id, automation_id, %(version)s, customer_id, %(occasion)s, %(cause)s::jsonb,
           due_at, 'completed', '0', '', '', '', %(now)s, %(now)s
      FROM refused
     WHERE choice = 0
        ON CONFLICT (customer_id, automation_id, occasion) DO NOTHING
 RETURNING id
)
INSERT INTO butler_decision
       (id, customer_id, run_id, automation_id, stage, outcome, code, act, gates,
        customer_version, rules_version, decided_at)
SELECT refused.decision_id, coalesce(record.canonical_id, refused.customer_id), refused.run_id,
       refused.automation_id, 'judge', 'skip', reason.code, reason.act, reason.gates,
       coalesce(live.version, 0), %(rules_version)s, %(now)s
  FROM refused
  JOIN jsonb_to_recordset(%(reasons)s::jsonb)
       AS reason (refusal int, choice int, code text, act jsonb, gates jsonb)
    ON reason.refusal = refused.refusal AND reason.choice = refused.choice
  LEFT JOIN customers_customer AS record ON record.id = refused.customer_id
  LEFT JOIN customers_customer AS live ON live.id = coalesce(record.canonical_id, record.id)
 -- Not a join, because its plan for a short list would compare all pairs of rows.
 WHERE (refused.run_id IN (SELECT id FROM inserted)) IS TRUE
