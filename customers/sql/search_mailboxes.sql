-- Find similar e-mail addresses: compared by the part before the @, and then as a whole.
--
-- mailbox, address  text
-- compared          int  how many are compared
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
