-- Read the newest calls from phones that a record shares with a few others. Such a phone is attached to
-- none of them, and its calls are on a record of its own.
--
-- live_id      uuid
-- max_holders  int   a phone of more records, such as a switchboard, tells nothing about its callers
-- limit        int
-- returns (reference, status, staff, started_at, number, the record of the phone, the account or mailbox
--         of this record with the strongest link to the phone, the number of records that have it)

WITH own AS (
    SELECT id
      FROM customers_identifier
     WHERE customer_id = %(live_id)s AND evidence = 2 AND erasure_id IS NULL
       AND (kind IN ('user_id', 'email') OR kind LIKE 'external:%%')
), phone AS (
    SELECT DISTINCT ON (shared.id) shared.id, shared.value, shared.record_id, shared.customer_id,
           link.id AS holder_id
      FROM own
      JOIN customers_linkend AS link
        ON link.id = own.id AND link.state = 'contested' AND link.evidence >= 30
      JOIN customers_identifier AS shared ON shared.id = link.other_id
     WHERE shared.kind = 'phone' AND shared.is_shared AND shared.erasure_id IS NULL
     ORDER BY shared.id, link.evidence DESC, link.occurred_at, link.arrival
), counted AS MATERIALIZED (
    SELECT phone.*,
           (SELECT count(DISTINCT other.customer_id)
              FROM (SELECT other_id
                      FROM customers_linkend
                     WHERE id = phone.id AND state = 'contested' AND evidence >= 30
                     LIMIT 50 * %(max_holders)s::int) AS link
              JOIN customers_identifier AS other ON other.id = link.other_id) AS holders
      FROM phone
)
SELECT call.reference, call.status, call.staff, call.started_at, counted.value, counted.record_id,
       counted.holder_id, counted.holders
  FROM counted
 CROSS JOIN LATERAL (
       SELECT *
         FROM customers_interaction
        WHERE customer_id = counted.customer_id AND kind = 'call'
        ORDER BY started_at DESC, reference
        LIMIT %(limit)s) AS call
 WHERE counted.holders <= %(max_holders)s
 ORDER BY call.started_at DESC, call.reference
 LIMIT %(limit)s
