-- Store the last silence of addresses: a year in which nothing was sent from, proved or ordered with an
-- address. customers.identity.silences has the rule. An address has a row for each of its periods;
-- those that lead to one live record have one silence.
--
-- These events count: an action, an order or a call that names the address or is filed on it, by any
-- source; Butler's own about a proof; an answer or a read message; a consent of the customer. The
-- statements of a source, such as a nightly identify, do not count, apart from the first.
--
-- ids     bigint[]  verified addresses
-- opened  text      the event that opened the earlier history; a silence that ended before it is none
-- returns the ids of the addresses, and of their periods, whose silence changed

WITH address_row AS MATERIALIZED (
    SELECT DISTINCT other.id, other.record_id, other.customer_id, other.kind, other.value
      FROM customers_identifier AS identifier
      JOIN customers_identifier AS other
        ON other.kind = identifier.kind AND other.value = identifier.value
       AND other.evidence = 2 AND other.erasure_id IS NULL
       AND (other.id = identifier.id OR other.customer_id = identifier.customer_id)
     WHERE identifier.id = ANY (%(ids)s::bigint[])
), address AS MATERIALIZED (
    SELECT min(id) AS key, array_agg(id) AS ids, array_agg(record_id) AS record_ids, customer_id
      FROM address_row
     GROUP BY kind, value, customer_id, CASE WHEN customer_id IS NULL THEN id END
), named AS MATERIALIZED (
    SELECT address.key, event.occurred_at, event.kind, event.name, event.source_id, event.actor
      FROM address
     CROSS JOIN LATERAL (
           SELECT id FROM customers_customer
            WHERE id = address.customer_id OR canonical_id = address.customer_id
            UNION
           SELECT unnest(address.record_ids)) AS record
     CROSS JOIN LATERAL customers_filed_events(record.id) AS event
     WHERE event.evidence = 2
       AND (record.id = ANY (address.record_ids) OR event.identifier_ids && address.ids)
), activity AS (
    SELECT key, occurred_at
      FROM named
     WHERE kind IN ('track', 'page', 'screen')
        OR (kind = 'identify' AND source_id = 1)
        OR (kind = 'message' AND name IN ('Message Received', 'Message Read'))
        OR (kind = 'control' AND actor = '')
     UNION ALL
    SELECT key, min(occurred_at) FROM named GROUP BY key
     UNION ALL
    SELECT address.key, link.occurred_at
      FROM address
     CROSS JOIN LATERAL unnest(address.ids) AS end_of (id)
      JOIN customers_linkend AS link ON link.id = end_of.id
     WHERE link.evidence >= 40
), silence AS (
    SELECT key, max(occurred_at) AS ended_at
      FROM (SELECT key, occurred_at,
                   lag(occurred_at) OVER (PARTITION BY key ORDER BY occurred_at) AS before
              FROM activity) AS step
     WHERE before + interval '1 year' <= occurred_at
     GROUP BY key
)
UPDATE customers_identifier AS identifier
   SET silent_until = last_silence.ended_at
  FROM (SELECT address_row.id, silence.ended_at
          FROM address_row
          JOIN address ON address_row.id = ANY (address.ids)
          LEFT JOIN silence
            ON silence.key = address.key
           AND silence.ended_at > coalesce(
               (SELECT max(named.occurred_at) FROM named
                 WHERE named.key = address.key AND named.source_id = 1 AND named.name = %(opened)s),
               '-infinity')) AS last_silence
 WHERE identifier.id = last_silence.id
   AND identifier.silent_until IS DISTINCT FROM last_silence.ended_at
RETURNING identifier.id
