-- Find the events that are filed on these identifiers, and the next identifier of each: the first one
-- after it that is no device, or else the next device. Blocked values and placeholders are left out.
--
-- ids  bigint[]
-- returns (log, version, next identifier) in the order of the events; no row for an event without a
--         next identifier

SELECT event.customer_id, event.version, following.id
  FROM customers_identifier AS filed
 CROSS JOIN LATERAL customers_filed_events(filed.record_id) AS event
 CROSS JOIN LATERAL (
       SELECT identifier.id
         FROM unnest(event.identifier_ids) WITH ORDINALITY AS named (id, place)
         JOIN customers_identifier AS identifier ON identifier.id = named.id
        WHERE named.place > array_position(event.identifier_ids, filed.id)
          AND NOT identifier.is_placeholder
          AND NOT EXISTS (
              SELECT
                FROM customers_blockedvalue AS blocked
               WHERE blocked.kind = identifier.kind
                 AND blocked.value = CASE WHEN identifier.kind IN ('order', 'user_id')
                                            OR identifier.kind LIKE 'external:%%'
                                          THEN substring(identifier.value,
                                                         strpos(identifier.value, '/') + 1)
                                          ELSE identifier.value END)
        ORDER BY identifier.kind IN ('anonymous_id', 'device'), named.place
        LIMIT 1) AS following
 WHERE filed.id = ANY (%(ids)s::bigint[])
 ORDER BY event.customer_id, event.version
