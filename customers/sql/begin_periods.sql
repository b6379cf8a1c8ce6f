-- Begin a period of each mailbox that people separated from an account, and of each phone that they
-- separated from an account or a mailbox. Events and links of later
-- times belong to it. customers.identity.periods tells whether the period before ended.
--
-- ids        bigint[]     pairs of separated identifiers, locked
-- source_id  bigint       the source of what Butler itself decides
-- now        timestamptz
-- returns the ids of the new periods

WITH latest AS (
    SELECT DISTINCT ON (address.kind, address.value) address.*
      FROM customers_identifier AS named
      JOIN customers_identifier AS address USING (kind, value, evidence)
     WHERE named.id = ANY (%(ids)s::bigint[])
       AND named.kind IN ('email', 'phone') AND named.evidence = 2 AND named.erasure_id IS NULL
       AND EXISTS (SELECT
                     FROM customers_manualdecision AS decision
                     JOIN customers_identifier AS holder
                       ON holder.id IN (decision.first_id, decision.second_id)
                      AND (holder.kind = 'user_id' OR holder.kind LIKE 'external:%%'
                           OR (holder.kind = 'email' AND named.kind = 'phone'))
                    WHERE named.id IN (decision.first_id, decision.second_id)
                      AND decision.kind = 'separate'
                      AND decision.decided_at = %(now)s
                      AND decision.undone_at IS NULL)
     ORDER BY address.kind, address.value, address.period DESC
), begun AS (
    INSERT INTO customers_identifier
           (kind, value, evidence, period, period_starts_at, refused, best_evidence, first_seen_at)
    SELECT kind, value, evidence, period + 1, %(now)s, refused, 30, %(now)s
      FROM latest
     WHERE erasure_id IS NULL
       AND COALESCE(period_starts_at < %(now)s, true)
    RETURNING id, kind, value
), linked AS (
    INSERT INTO customers_link
           (first_id, second_id, kind, evidence, source_id, occurred_at, arrival, state)
    SELECT latest.id, begun.id, 'period', 30, %(source_id)s, %(now)s, 0, 'joined'
      FROM begun
      JOIN latest USING (kind, value)
)
SELECT id FROM begun
