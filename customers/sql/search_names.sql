-- Who has all of these words in the name, the likest first; accents and capitals do not count.
--
-- text   text  what was typed
-- compared   int   how many are compared: more namesakes than that are no choice for a person
-- limit  int

SELECT coalesce(customer.canonical_id, customer.id), near.likeness
  FROM (SELECT customer_id, similarity(plain, (SELECT customers_plain(%(text)s))) AS likeness
          FROM (SELECT customer_id, plain
                  FROM customers_searchname
                 WHERE true /* words */
                 LIMIT %(compared)s) AS namesake
         ORDER BY likeness DESC, customer_id
         LIMIT %(limit)s) AS near
  JOIN customers_customer AS customer ON customer.id = near.customer_id
 ORDER BY near.likeness DESC, customer.last_seen_at DESC NULLS LAST, customer.id
