-- Whose address is like this one: compared by what stands before the @, which tells people
-- apart, and then whole.
--
-- mailbox, address  text
-- compared   int  how many are compared
-- limit  int

SELECT customer_id, likeness, is_verified
  FROM (SELECT customer_id, similarity(value, %(address)s) AS likeness, evidence = 2 AS is_verified
          FROM (SELECT customer_id, value, evidence
                  FROM customers_identifier
                 WHERE kind = 'email'
                   AND split_part(value, '@', 1) %% %(mailbox)s
                   AND customer_id IS NOT NULL
                 LIMIT %(compared)s) AS like_it) AS matching
 ORDER BY likeness DESC, customer_id, is_verified DESC
 LIMIT %(limit)s
