-- Store the last silence of addresses: a year in which nothing was sent from, proved or ordered with an
-- address. customers.identity.silences has the rule. An address has a row for each of its periods;
-- those that lead to one live record have one silence.
--
-- These events count: activity (customers_is_activity, migration 0055) that names the address or is
-- filed on it, by any source; the proofs of the address; and its first event of any kind.
--
-- The walk goes back from the last activity, each step to the first activity within a year before, so
-- it needs at most two index lookups a year, however long the log is.
--
-- ids     bigint[]  verified addresses
-- opened  text      the event that opened the earlier history; a silence that ended before this event does not count
-- returns the ids of the addresses, and of their periods, whose silence changed

WITH RECURSIVE address_row AS MATERIALIZED (
    SELECT DISTINCT other.id, other.record_id, other.customer_id, other.kind, other.value
      FROM customers_identifier AS identifier
      JOIN customers_identifier AS other
        ON other.kind = identifier.kind AND other.value = identifier.value
       AND other.evidence = 2 AND other.erasure_id IS NULL
       AND (other.id = identifier.id OR other.customer_id = identifier.customer_id)
     WHERE identifier.id = ANY (%(ids)s::bigint[])
), address AS MATERIALIZED (
    SELECT min(id) AS key, array_agg(id) AS ids, array_agg(record_id) AS record_ids,
           ARRAY(SELECT id FROM customers_customer
                  WHERE id = address_row.customer_id OR canonical_id = address_row.customer_id)
           || array_agg(record_id) AS records
      FROM address_row
     GROUP BY kind, value, customer_id, CASE WHEN customer_id IS NULL THEN id END
), log AS MATERIALIZED (
    SELECT address.*, log.id AS log_id
      FROM address
     CROSS JOIN LATERAL (
           SELECT unnest(address.records) AS id
            UNION
           SELECT merged_into_id FROM customers_merge
            WHERE record_id = ANY (address.records)) AS log
     WHERE log.id IS NOT NULL
), moment AS MATERIALIZED (
    SELECT address.key, event.occurred_at, event.name = %(opened)s AND event.source_id = 1 AS is_opened,
           customers_is_activity(event.kind, event.name, event.source_id, event.actor) AS is_activity
      FROM address
      JOIN customers_refiledevent AS refiled ON refiled.record_id = ANY (address.records)
      JOIN customers_event AS event
        ON event.customer_id = refiled.customer_id AND event.version = refiled.version
     WHERE event.evidence = 2
       AND (refiled.record_id = ANY (address.record_ids) OR event.identifier_ids && address.ids)
     UNION ALL
    SELECT address.key, link.occurred_at, false, true
      FROM address
      JOIN customers_linkend AS link ON link.id = ANY (address.ids)
     WHERE link.evidence >= 40
), start AS MATERIALIZED (
    SELECT address.key, bounds.first_at, bounds.last_at
      FROM address
     CROSS JOIN LATERAL (
           SELECT min(first_at) AS first_at, max(last_at) AS last_at
             FROM (SELECT (SELECT occurred_at
                             FROM customers_events_of_address(log_id, records, record_ids, ids)
                            ORDER BY occurred_at LIMIT 1),
                          (SELECT occurred_at
                             FROM customers_events_of_address(log_id, records, record_ids, ids)
                            WHERE customers_is_activity(kind, name, source_id, actor)
                            ORDER BY occurred_at DESC LIMIT 1)
                     FROM log WHERE log.key = address.key
                    UNION ALL
                   SELECT occurred_at, CASE WHEN is_activity THEN occurred_at END
                     FROM moment WHERE moment.key = address.key) AS bound (first_at, last_at)
           ) AS bounds
), walk AS (
    SELECT key, coalesce(last_at, first_at) AS at, first_at FROM start
     UNION ALL
    SELECT walk.key, earlier.at, walk.first_at
      FROM walk
     CROSS JOIN LATERAL (
           SELECT min(at) AS at
             FROM (SELECT (SELECT occurred_at
                             FROM customers_events_of_address(log_id, records, record_ids, ids)
                            WHERE occurred_at < walk.at
                              AND occurred_at > walk.at - interval '1 year 2 days'
                              AND occurred_at + interval '1 year' > walk.at
                              AND customers_is_activity(kind, name, source_id, actor)
                            ORDER BY occurred_at LIMIT 1)
                     FROM log WHERE log.key = walk.key
                    UNION ALL
                   SELECT occurred_at
                     FROM moment
                    WHERE moment.key = walk.key AND is_activity
                      AND occurred_at < walk.at
                      AND occurred_at + interval '1 year' > walk.at) AS step (at)
           ) AS earlier
     WHERE earlier.at IS NOT NULL
), silence AS (
    SELECT key, min(at) AS ended_at
      FROM walk
     GROUP BY key
    HAVING min(first_at) + interval '1 year' <= min(at)
)
UPDATE customers_identifier AS identifier
   SET silent_until = last_silence.ended_at
  FROM (SELECT address_row.id, silence.ended_at
          FROM address_row
          JOIN address ON address_row.id = ANY (address.ids)
          LEFT JOIN silence
            ON silence.key = address.key
           AND (SELECT true
                  FROM (SELECT occurred_at
                          FROM log
                         CROSS JOIN LATERAL customers_events_of_address(log_id, records, record_ids, ids)
                         WHERE log.key = silence.key AND occurred_at >= silence.ended_at
                           AND source_id = 1 AND name = %(opened)s
                         UNION ALL
                        SELECT occurred_at FROM moment
                         WHERE moment.key = silence.key AND is_opened) AS opening
                 WHERE opening.occurred_at >= silence.ended_at
                 LIMIT 1) IS NULL) AS last_silence
 WHERE identifier.id = last_silence.id
   AND identifier.silent_until IS DISTINCT FROM last_silence.ended_at
RETURNING identifier.id
