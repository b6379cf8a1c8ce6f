-- Append a batch of events to the logs of their customers and increase the versions of the logs, in
-- one statement. The caller holds the locks of the customers (resolve_identifiers), so the versions
-- are free. If another transaction has stored a message of the batch, the unique key reports it,
-- and the caller repeats the transaction.
--
-- source_id, evidence, received_at   for the whole batch
-- events  jsonb  the fields of customers.types.LogEntry

WITH appended AS (
    INSERT INTO customers_event
           (customer_id, version, origin_id, source_id, message_id, message_key, body_hash,
            kind, name, about, evidence, actor, identifier_ids, occurred_at, received_at, arrival,
            body)
    SELECT customer_id, version, origin_id, %(source_id)s, message_id, message_key, body_hash,
           kind, name, about, %(evidence)s, actor, identifier_ids, occurred_at, %(received_at)s,
           arrival, body
      FROM jsonb_to_recordset(%(events)s::jsonb) AS event (
           customer_id uuid, version bigint, origin_id uuid, message_id text, message_key uuid,
           body_hash uuid, kind text, name text, about text, actor text,
           identifier_ids bigint[], occurred_at timestamptz, arrival bigint, body jsonb)
 RETURNING customer_id, version, occurred_at
)
UPDATE customers_customer AS customer
   SET version = newest.version,
       last_seen_at = GREATEST(customer.last_seen_at, newest.occurred_at)
  FROM (SELECT customer_id, max(version) AS version, max(occurred_at) AS occurred_at
          FROM appended
         GROUP BY customer_id) AS newest
 WHERE customer.id = newest.customer_id
