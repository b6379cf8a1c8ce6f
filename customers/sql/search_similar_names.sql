-- Find names similar to a text, the most similar first. The caller sets the threshold,
-- pg_trgm.word_similarity_threshold, for its transaction.
--
-- text      text  a subselect removes its accents and case once; otherwise Postgres would do it for
--                 each name
-- compared  int   the largest number of names to compare
-- limit     int

SELECT coalesce(customer.canonical_id, customer.id), best.score
  FROM (SELECT customer_id,
               (word_similarity((SELECT customers_plain(%(text)s)), plain)
                + similarity((SELECT customers_plain(%(text)s)), plain)) / 2 AS score
          FROM (SELECT customer_id, plain
                  FROM customers_searchname
                 WHERE (SELECT customers_plain(%(text)s)) <%% plain
                 LIMIT %(compared)s) AS compared
         ORDER BY score DESC, customer_id
         LIMIT %(limit)s) AS best
  JOIN customers_customer AS customer ON customer.id = best.customer_id
 ORDER BY best.score DESC, customer.last_seen_at DESC NULLS LAST, customer.id
