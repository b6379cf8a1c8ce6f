-- Read the latest time at which each source stated each mailbox as the address of these accounts.
-- The statements are filed on these accounts, or on other accounts of the same events. An event that was stored before numbers named their source may name
-- an equal number of another source (migration 0024): it is then filed on the record of its account.
--
-- ids  bigint[]
-- returns (account, mailbox, source, occurred_at, arrival)

WITH account AS MATERIALIZED (
    SELECT id, record_id FROM customers_identifier WHERE id = ANY (%(ids)s::bigint[])
), filed AS MATERIALIZED (
    SELECT DISTINCT identifier.record_id
      FROM (SELECT id FROM account
             UNION
            SELECT link.second_id
              FROM customers_link AS link JOIN account ON account.id = link.first_id
             WHERE link.kind IN ('seen', 'alias') AND link.evidence >= 30
             UNION
            SELECT link.first_id
              FROM customers_link AS link JOIN account ON account.id = link.second_id
             WHERE link.kind IN ('seen', 'alias') AND link.evidence >= 30) AS linked
      JOIN customers_identifier AS identifier USING (id)
     WHERE identifier.record_id IS NOT NULL AND identifier.kind <> 'email'
), statement AS (
    SELECT filed.record_id, event.*
      FROM filed
     CROSS JOIN LATERAL customers_filed_events(filed.record_id) AS event
     WHERE event.kind = 'identify' AND event.evidence > 1
)
SELECT DISTINCT ON (account.id, mailbox.id, statement.source_id)
       account.id, mailbox.id, statement.source_id, statement.occurred_at,
       customers_arrival_number(statement.arrival, statement.received_at, statement.version)
  FROM statement
  JOIN account
    ON account.id = ANY (statement.identifier_ids)
    OR (statement.arrival IS NULL AND account.record_id = statement.record_id)
  JOIN customers_identifier AS mailbox
    ON mailbox.id = ANY (statement.identifier_ids) AND mailbox.kind = 'email'
 ORDER BY account.id, mailbox.id, statement.source_id, statement.occurred_at DESC,
          customers_arrival_number(statement.arrival, statement.received_at, statement.version) DESC
