-- All events about any subject, for whole records: see read_facts.
--
-- ids  uuid[]  live records

WITH member AS MATERIALIZED (
    SELECT record.id, COALESCE(record.canonical_id, record.id) AS customer_id
      FROM customers_customer AS record
     WHERE (record.id = ANY (%(ids)s::uuid[]) AND record.canonical_id IS NULL)
        OR record.canonical_id = ANY (%(ids)s::uuid[])
), fact AS (
    SELECT member.customer_id AS record_of, event.*
      FROM member
      JOIN customers_event AS event
        ON event.customer_id = member.id AND event.origin_id IS NULL
     WHERE event.about <> ''
     UNION ALL
    SELECT member.customer_id, event.*
      FROM member
      JOIN customers_event AS event ON event.origin_id = member.id
     WHERE event.about <> ''
)
SELECT fact.record_of, fact.about, fact.name, fact.occurred_at,
       encode(uuid_send(fact.message_key), 'hex'), fact.evidence,
       source.channel, fact.actor, fact.version,
       COALESCE(fact.body -> 'properties', fact.body -> 'data', '{}')
  FROM fact
  JOIN customers_source AS source ON source.id = fact.source_id
