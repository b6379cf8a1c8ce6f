-- Whose name sounds like what was typed, the likest first. How like it has to be is
-- pg_trgm.word_similarity_threshold, which the caller sets for its transaction.
--
-- text   text  made plain once, in a subselect: Postgres would do it again for every name
-- compared   int   how many are compared
-- limit  int

SELECT coalesce(customer.canonical_id, customer.id), near.likeness
  FROM (SELECT customer_id,
               (word_similarity((SELECT customers_plain(%(text)s)), plain)
                + similarity((SELECT customers_plain(%(text)s)), plain)) / 2 AS likeness
          FROM (SELECT customer_id, plain
                  FROM customers_searchname
                 WHERE (SELECT customers_plain(%(text)s)) <%% plain
                 LIMIT %(compared)s) AS namesake
         ORDER BY likeness DESC, customer_id
         LIMIT %(limit)s) AS near
  JOIN customers_customer AS customer ON customer.id = near.customer_id
 ORDER BY near.likeness DESC, customer.last_seen_at DESC NULLS LAST, customer.id
