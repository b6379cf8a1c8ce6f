-- Read all events about these subjects, on the logs of the records that now belong to the customer.
-- Events of a record that was separated again are left out.
--
-- customers, abouts  uuid[], text[]  each pair is one subject; customers are live records

WITH subject AS MATERIALIZED (
    SELECT *
      FROM unnest(%(customers)s::uuid[], %(abouts)s::text[]) AS pair (customer_id, about)
), record AS MATERIALIZED (
    SELECT customer.id, COALESCE(customer.canonical_id, customer.id) AS customer_id
      FROM customers_customer AS customer
     WHERE customer.id = ANY (%(customers)s::uuid[])
        OR customer.canonical_id = ANY (%(customers)s::uuid[])
), projected AS (
    SELECT subject.customer_id AS record_of, event.*
      FROM subject
      JOIN record ON record.customer_id = subject.customer_id
      JOIN customers_event AS event
        ON event.customer_id = record.id AND event.about = subject.about
       AND event.about <> '' AND event.origin_id IS NULL
     UNION ALL
    SELECT subject.customer_id, event.*
      FROM subject
      JOIN record ON record.customer_id = subject.customer_id
      JOIN customers_event AS event
        ON event.origin_id = record.id AND event.about = subject.about
)
SELECT projected.record_of, projected.about, projected.name, projected.occurred_at,
       customers_arrival_number(projected.arrival, projected.received_at, projected.version),
       encode(uuid_send(projected.message_key), 'hex'), projected.evidence,
       source.channel, projected.actor, projected.version,
       COALESCE(projected.body -> 'properties', projected.body -> 'data', '{}')
  FROM projected
  JOIN customers_source AS source ON source.id = projected.source_id
