-- Store links between identifiers, or an earlier time or a later proof of links that are stored.
-- Raise the evidence of the identifiers that are linked more strongly than before.
--
-- links  jsonb  [{first_id, second_id, evidence, kind, occurred_at, arrival,
--                last_proved_at|null, state}, ...] with first_id < second_id
-- source_id

WITH link AS MATERIALIZED (
    SELECT *
      FROM jsonb_to_recordset(%(links)s::jsonb) AS link (
           first_id bigint, second_id bigint, evidence smallint, kind text, occurred_at timestamptz,
           arrival bigint, last_proved_at timestamptz, state text)
), risen AS MATERIALIZED (
    SELECT identifier.id, strongest.evidence
      FROM (SELECT id, max(evidence) AS evidence
              FROM (SELECT first_id AS id, evidence FROM link WHERE kind IN ('seen', 'alias')
                     UNION ALL
                    SELECT second_id, evidence FROM link WHERE kind IN ('seen', 'alias')) AS linked
             GROUP BY id) AS strongest
      JOIN customers_identifier AS identifier ON identifier.id = strongest.id
     WHERE identifier.evidence = 2
       -- Readers show a missing evidence as stated. `rebuild --identities` restores it.
       AND COALESCE(identifier.best_evidence, 30) < strongest.evidence
     ORDER BY identifier.id
       FOR NO KEY UPDATE OF identifier
), raised AS (
    UPDATE customers_identifier AS identifier
       SET best_evidence = risen.evidence
      FROM risen
     WHERE identifier.id = risen.id
)
INSERT INTO customers_link
       (first_id, second_id, kind, evidence, source_id, occurred_at, arrival, last_proved_at, state)
SELECT first_id, second_id, kind, evidence, %(source_id)s, occurred_at, arrival, last_proved_at, state
  FROM link
 ORDER BY 1, 2
    ON CONFLICT (first_id, second_id, kind, evidence, source_id) DO UPDATE
   SET occurred_at = least(EXCLUDED.occurred_at, customers_link.occurred_at),
       arrival = CASE WHEN (EXCLUDED.occurred_at, EXCLUDED.arrival)
                           < (customers_link.occurred_at, customers_link.arrival)
                      THEN EXCLUDED.arrival ELSE customers_link.arrival END,
       -- A stored link without this time was proved when it occurred.
       last_proved_at = greatest(EXCLUDED.last_proved_at, customers_link.last_proved_at,
                                 CASE WHEN EXCLUDED.last_proved_at IS NOT NULL
                                      THEN customers_link.occurred_at END)
 WHERE (EXCLUDED.occurred_at, EXCLUDED.arrival)
       < (customers_link.occurred_at, customers_link.arrival)
    OR EXCLUDED.last_proved_at
       > COALESCE(customers_link.last_proved_at, customers_link.occurred_at)
