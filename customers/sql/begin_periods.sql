-- Begin a period of each mailbox that people separated from an account. Events and links of later
-- times belong to it. customers.identity.periods tells whether the period before ended.
--
-- ids        bigint[]     pairs of separated identifiers, locked
-- source_id  bigint       the source of what Butler itself decides
-- now        timestamptz
-- returns the ids of the new periods

WITH latest AS (
    SELECT DISTINCT ON (mailbox.value) mailbox.*
      FROM customers_identifier AS named
      JOIN customers_identifier AS mailbox USING (kind, value, evidence)
     WHERE named.id = ANY (%(ids)s::bigint[])
       AND named.kind = 'email' AND named.evidence = 2 AND named.erasure_id IS NULL
       AND EXISTS (SELECT
                     FROM customers_manualdecision AS decision
                     JOIN customers_identifier AS account
                       ON account.id IN (decision.first_id, decision.second_id)
                      AND (account.kind = 'user_id' OR account.kind LIKE 'external:%%')
                    WHERE named.id IN (decision.first_id, decision.second_id)
                      AND decision.kind = 'separate'
                      AND decision.decided_at = %(now)s
                      AND decision.undone_at IS NULL)
     ORDER BY mailbox.value, mailbox.period DESC
), begun AS (
    INSERT INTO customers_identifier
           (kind, value, evidence, period, period_starts_at, refused, best_evidence, first_seen_at)
    SELECT kind, value, evidence, period + 1, %(now)s, refused, 30, %(now)s
      FROM latest
     WHERE erasure_id IS NULL
       AND COALESCE(period_starts_at < %(now)s, true)
    RETURNING id, value
), linked AS (
    INSERT INTO customers_link
           (first_id, second_id, kind, evidence, source_id, occurred_at, arrival, state)
    SELECT latest.id, begun.id, 'period', 30, %(source_id)s, %(now)s, 0, 'joined'
      FROM begun
      JOIN latest USING (value)
)
SELECT id FROM begun
