-- Every value that was stated of a trait, for whole records: see read_facts.
--
-- ids  uuid[]  live records

WITH member AS MATERIALIZED (
    SELECT record.id, COALESCE(record.canonical_id, record.id) AS customer_id
      FROM customers_customer AS record
     WHERE (record.id = ANY (%(ids)s::uuid[]) AND record.canonical_id IS NULL)
        OR record.canonical_id = ANY (%(ids)s::uuid[])
), statement AS (
    SELECT member.customer_id AS record_of, event.*
      FROM member
      JOIN customers_event AS event
        ON event.customer_id = member.id AND event.origin_id IS NULL
     WHERE event.kind = 'identify'
     UNION ALL
    SELECT member.customer_id, event.*
      FROM member
      JOIN customers_event AS event ON event.origin_id = member.id
     WHERE event.kind = 'identify'
)
SELECT statement.record_of, trait.key, trait.value, statement.evidence, statement.source_id,
       statement.occurred_at, encode(uuid_send(statement.message_key), 'hex')
  FROM statement,
       jsonb_each(CASE WHEN jsonb_typeof(statement.body -> 'traits') = 'object'
                       THEN statement.body -> 'traits' ELSE '{}' END) AS trait
