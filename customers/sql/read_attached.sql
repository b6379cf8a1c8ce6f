-- Read the cards, phones, devices and numbers that are attached to these identifiers, or would be
-- if their links were not contested.
--
-- ids  bigint[]

SELECT other.id
  FROM (SELECT second_id AS id FROM customers_link
         WHERE first_id = ANY (%(ids)s::bigint[]) AND state IN ('attached', 'contested')
         UNION
        SELECT first_id FROM customers_link
         WHERE second_id = ANY (%(ids)s::bigint[]) AND state IN ('attached', 'contested')) AS linked
  JOIN customers_identifier AS other USING (id)
 WHERE other.kind <> 'email'
