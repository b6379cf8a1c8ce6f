-- Find names with all of these words, the most similar first, without regard to accents and case.
--
-- text      text  the search text
-- compared  int   the largest number of names to compare
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
