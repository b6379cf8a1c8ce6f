-- Read the links by which each of these cards, phones, devices and numbers can hang on a record,
-- the strongest first.
--
-- ids    bigint[]
-- limit  int       for each identifier
-- returns (identifier, link id, first, second, evidence, kind, occurred_at, arrival, source, state),
-- and (kind, value, is_suspect, live record) of the other end

SELECT hung.id, holder.*, other.kind, other.value, other.is_suspect, other.customer_id
  FROM unnest(%(ids)s::bigint[]) AS hung (id)
 CROSS JOIN LATERAL (
       SELECT link.id, link.first_id, link.second_id, link.evidence, link.kind, link.occurred_at,
              link.arrival, link.source_id, link.state
         FROM (SELECT * FROM customers_link WHERE first_id = hung.id
                UNION ALL
               SELECT * FROM customers_link WHERE second_id = hung.id) AS link
        WHERE link.evidence >= 30 AND link.kind <> 'placed'
        ORDER BY link.evidence DESC, link.occurred_at, link.arrival
        LIMIT %(limit)s
       ) AS holder
  JOIN customers_identifier AS other
    ON other.id = CASE WHEN holder.first_id = hung.id THEN holder.second_id
                       ELSE holder.first_id END
