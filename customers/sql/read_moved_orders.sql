-- Find the events of moved orders that are still filed on a former customer of the order.
--
-- The events of an order are those that name its number, and those that customers.actions wrote for staff,
-- customers and sources with the API, which name a customer only. They are filed on the customers whom
-- the source named, or on the identifier of the order, which moves with the order.
--
-- ids      bigint[]  identifiers of orders; the statement examines all orders with their numbers
-- returns (order id, its source, its live record, the identifier to file on, the live record that it
--         left, log, version)

WITH moved AS MATERIALIZED (
    SELECT placed.id, placed.customer_id, source.id AS source_id, source.space_id,
           substring(placed.value, strpos(placed.value, '/') + 1) AS number
      FROM customers_identifier AS named
      JOIN customers_identifier AS placed
        ON placed.kind = 'order' AND placed.evidence = 2 AND NOT placed.is_shared
       AND substring(placed.value, strpos(placed.value, '/') + 1)
           = substring(named.value, strpos(named.value, '/') + 1)
      JOIN customers_source AS source ON source.id = split_part(placed.value, '/', 1)::bigint
     WHERE named.id = ANY (%(ids)s::bigint[]) AND placed.customer_id IS NOT NULL
     GROUP BY placed.id, source.id
), person AS MATERIALIZED (
    SELECT moved.id AS order_id, other.id, other.customer_id, stated.is_own, stated.said_at,
           stated.arrival
      FROM moved
     CROSS JOIN LATERAL (
           SELECT first_id + second_id - moved.id AS id, true AS is_own,
                  coalesce(last_proved_at, occurred_at) AS said_at, arrival
             FROM customers_link
            WHERE moved.id IN (first_id, second_id) AND kind IN ('placed', 'moved')
            UNION ALL
           -- The order of another source that says the same sale names the customer for both.
           SELECT link.first_id + link.second_id - sibling.id, link.kind = 'moved',
                  coalesce(link.last_proved_at, link.occurred_at), link.arrival
             FROM customers_identifier AS sibling
             JOIN customers_source AS source
               ON source.id = split_part(sibling.value, '/', 1)::bigint
              AND source.space_id = moved.space_id
             JOIN customers_link AS link
               ON sibling.id IN (link.first_id, link.second_id)
              AND (link.kind = 'moved'
                   OR link.kind = 'placed' AND sibling.customer_id = moved.customer_id)
            WHERE sibling.kind = 'order' AND sibling.evidence = 2 AND sibling.id <> moved.id
              AND substring(sibling.value, strpos(sibling.value, '/') + 1) = moved.number) AS stated
      JOIN customers_identifier AS other ON other.id = stated.id AND other.kind <> 'order'
), holder AS MATERIALIZED (
    SELECT DISTINCT ON (moved.id) moved.id, person.id AS target_id
      FROM moved
      JOIN person ON person.order_id = moved.id AND person.customer_id = moved.customer_id
     ORDER BY moved.id, person.is_own DESC, person.said_at DESC, person.arrival DESC
), left_record AS MATERIALIZED (
    SELECT moved.id AS order_id, record.id, person.customer_id AS live_id,
           bool_or(person.is_own AND NOT EXISTS (
               SELECT FROM customers_identifier AS other
                WHERE other.kind = 'order' AND other.customer_id = person.customer_id
                  AND substring(other.value, strpos(other.value, '/') + 1) = moved.number
           )) AS has_no_other
      FROM moved
      JOIN person ON person.order_id = moved.id AND person.customer_id <> moved.customer_id
      JOIN customers_customer AS record
        ON record.id = person.customer_id OR record.canonical_id = person.customer_id
     GROUP BY moved.id, record.id, person.customer_id
)
SELECT moved.id, moved.source_id, moved.customer_id, holder.target_id, left_record.live_id,
       event.customer_id, event.version
  FROM moved
  JOIN holder ON holder.id = moved.id
  JOIN left_record ON left_record.order_id = moved.id
 CROSS JOIN LATERAL customers_filed_events(left_record.id) AS event
 WHERE event.about = 'order:' || moved.number
   AND event.kind NOT IN ('identity', 'control', 'message')
   AND (moved.id = ANY (event.identifier_ids)
        OR NOT EXISTS (SELECT FROM customers_identifier AS named
                        WHERE named.id = ANY (event.identifier_ids) AND named.kind = 'order')
           AND coalesce(event.body #>> '{properties,order_source_id}' = moved.source_id::text,
                        left_record.has_no_other))
 ORDER BY event.customer_id, event.version
