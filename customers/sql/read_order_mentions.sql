-- Read the identifiers that are linked to each of these orders, and their live records.
--
-- ids    bigint[]  orders
-- limit  int       the largest number of identifiers to read for each order
-- returns (order id, other id, kind of the link or decision, kind of the other, live record of the other,
--         whether the same erasure ended both, or none, the time of the statement, its arrival)

SELECT link.order_id, other.id, link.kind, other.kind, other.customer_id,
       other.erasure_id IS NOT DISTINCT FROM own.erasure_id, link.said_at, link.arrival
  FROM unnest(%(ids)s::bigint[]) AS placed (id)
 CROSS JOIN LATERAL (
       SELECT first_id AS order_id, second_id AS other_id, kind,
              CASE kind WHEN 'moved' THEN coalesce(last_proved_at, occurred_at)
                        ELSE occurred_at END AS said_at, arrival
         FROM customers_link
        WHERE first_id = placed.id
        UNION ALL
       SELECT second_id, first_id, kind,
              CASE kind WHEN 'moved' THEN coalesce(last_proved_at, occurred_at)
                        ELSE occurred_at END, arrival
         FROM customers_link
        WHERE second_id = placed.id
        UNION ALL
       SELECT first_id, second_id, kind, decided_at, 0 FROM customers_manualdecision
        WHERE first_id = placed.id AND kind = 'separate' AND undone_at IS NULL
        UNION ALL
       SELECT second_id, first_id, kind, decided_at, 0 FROM customers_manualdecision
        WHERE second_id = placed.id AND kind = 'separate' AND undone_at IS NULL
        LIMIT %(limit)s
       ) AS link
  JOIN customers_identifier AS other ON other.id = link.other_id
  JOIN customers_identifier AS own ON own.id = link.order_id
 WHERE other.kind <> 'order'
