-- End runs before they begin, for customers whom nothing of an automation can be for: each has
-- its run, so that the occasion comes once, and the decisions that say why. Whoever had the
-- run of this occasion has it still, and nothing more is decided.
--
-- version    bigint
-- occasion   text, cause  jsonb, now  timestamptz, rules_version  text
-- decisions, runs, customers  uuid[], moments  timestamptz[], reasons, places  int[]
--            each decision, with the run that is not to be and the kind of its reasons; the
--            decisions of one run are at places that count from 0
-- said       jsonb  [{reason, place, code, act, gates}, ...]

WITH wanted AS MATERIALIZED (
    SELECT asked.*, version.automation_id
      FROM unnest(%(decisions)s::uuid[], %(runs)s::uuid[], %(customers)s::uuid[],
                  %(moments)s::timestamptz[], %(reasons)s::int[], %(places)s::int[])
           AS asked (id, run_id, customer_id, moment, reason, place)
      JOIN butler_automationversion AS version ON version.id = %(version)s
     WHERE version.status = 'live'
       AND version.live_at <= asked.moment
), sifted AS (
    INSERT INTO butler_run
           (id, automation_id, version_id, customer_id, occasion, cause, occurred_at, status,
            step, awaited, awaited_about, reason, created_at, ended_at)
    SELECT run_id, automation_id, %(version)s, customer_id, %(occasion)s, %(cause)s::jsonb,
           moment, 'done', '0', '', '', '', %(now)s, %(now)s
      FROM wanted
     WHERE place = 0
        ON CONFLICT (customer_id, automation_id, occasion) DO NOTHING
 RETURNING id
)
INSERT INTO butler_decision
       (id, customer_id, run_id, automation_id, stage, outcome, code, act, gates,
        customer_version, rules_version, decided_at)
SELECT wanted.id, coalesce(record.canonical_id, wanted.customer_id), wanted.run_id,
       wanted.automation_id, 'judge', 'skip', said.code, said.act, said.gates,
       coalesce(live.version, 0), %(rules_version)s, %(now)s
  FROM wanted
  JOIN jsonb_to_recordset(%(said)s::jsonb)
       AS said (reason int, place int, code text, act jsonb, gates jsonb)
    ON said.reason = wanted.reason AND said.place = wanted.place
  LEFT JOIN customers_customer AS record ON record.id = wanted.customer_id
  LEFT JOIN customers_customer AS live ON live.id = coalesce(record.canonical_id, record.id)
 -- As a join, a plan made for a short list compares each of them with each.
 WHERE (wanted.run_id IN (SELECT id FROM sifted)) IS TRUE
