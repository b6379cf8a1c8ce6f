-- Read identifiers and the other periods of those that are addresses.
--
-- ids  bigint[]
-- returns the id, the id of the period before (or null), the live record, and the erasure (or 0)

WITH RECURSIVE reached AS (
    SELECT unnest(%(ids)s::bigint[]) AS id
     UNION
    SELECT other.id
      FROM reached
     CROSS JOIN LATERAL (
           SELECT second_id AS id FROM customers_link
            WHERE first_id = reached.id AND state = 'joined' AND kind = 'period'
            UNION ALL
           SELECT first_id FROM customers_link
            WHERE second_id = reached.id AND state = 'joined' AND kind = 'period'
           ) AS other
)
SELECT identifier.id, border.first_id, identifier.customer_id, COALESCE(identifier.erasure_id, 0)
  FROM reached
  JOIN customers_identifier AS identifier USING (id)
  LEFT JOIN customers_link AS border
    ON border.second_id = identifier.id AND border.state = 'joined' AND border.kind = 'period'
