-- Find names with all of these words, the most similar first; accents and capitals do not count.
--
-- text      text  what was typed
-- compared  int   how many are compared: more namesakes than that are no choice for a person
-- limit     int

SELECT coalesce(customer.canonical_id, customer.id), best.score
  FROM (SELECT customer_id, similarity(plain, (SELECT customers_plain(%(text)s))) AS score
          FROM (SELECT customer_id, plain
                  FROM customers_searchname
                 WHERE true /* words */
                 LIMIT %(compared)s) AS compared
         ORDER BY score DESC, customer_id
         LIMIT %(limit)s) AS best
  JOIN customers_customer AS customer ON customer.id = best.customer_id
 ORDER BY best.score DESC, customer.last_seen_at DESC NULLS LAST, customer.id
