-- Find similar e-mail addresses: first by the part before the @, and then by the whole address.
--
-- mailbox, address  text
-- compared          int  the largest number of addresses to compare
-- limit             int

SELECT customer_id, score, is_verified
  FROM (SELECT customer_id, similarity(value, %(address)s) AS score, evidence = 2 AS is_verified
          FROM (SELECT customer_id, value, evidence
                  FROM customers_identifier
                 WHERE kind = 'email'
                   AND split_part(value, '@', 1) %% %(mailbox)s
                   AND customer_id IS NOT NULL
                 LIMIT %(compared)s) AS compared) AS matching
 ORDER BY score DESC, customer_id, is_verified DESC
 LIMIT %(limit)s
