-- Read what the events that are filed on these identifiers state about who is who: one row for all
-- events that state the same, with the earliest and the last time.
--
-- ids  bigint[]
-- returns (source, evidence, kind, name, email_verified, identifiers, has_own_numbers, occurred_at,
--         arrival, last_at): kind is "track" unless it is a statement; name is empty unless it places or
--         moves an order or opens an account; has_own_numbers is false for events that were stored before numbers named a source

SELECT DISTINCT ON (statement.source_id, statement.evidence, statement.kind, statement.name,
                    statement.email_verified, statement.identifier_ids, statement.has_own_numbers)
       statement.*,
       max(statement.occurred_at) OVER (
           PARTITION BY statement.source_id, statement.evidence, statement.kind, statement.name,
                        statement.email_verified, statement.identifier_ids,
                        statement.has_own_numbers)
  FROM customers_identifier AS identifier
 CROSS JOIN LATERAL (
       SELECT event.source_id, event.evidence,
              CASE WHEN event.kind IN ('identify', 'alias') THEN event.kind ELSE 'track' END AS kind,
              CASE WHEN event.name IN ('Order Completed', 'Order Updated', 'Order Amended', 'Account Opened')
                   THEN event.name ELSE '' END AS name,
              CASE WHEN event.kind <> 'identify' THEN NULL
                   WHEN jsonb_typeof(event.body -> 'traits') = 'object'
                    AND event.body -> 'traits' <> '{}'
                   THEN event.body #>> '{traits,email_verified}'
                   ELSE event.body #>> '{context,traits,email_verified}' END
              AS email_verified,
              event.identifier_ids, event.arrival IS NOT NULL AS has_own_numbers,
              event.occurred_at,
              customers_arrival_number(event.arrival, event.received_at, event.version) AS arrival
         FROM customers_filed_events(identifier.record_id) AS event
        WHERE cardinality(event.identifier_ids) > 1
          AND event.kind NOT IN ('identity', 'control', 'message')
       ) AS statement
 WHERE identifier.id = ANY (%(ids)s::bigint[])
   AND identifier.record_id IS NOT NULL
 ORDER BY statement.source_id, statement.evidence, statement.kind, statement.name,
       statement.email_verified, statement.identifier_ids, statement.has_own_numbers,
       statement.occurred_at, statement.arrival
