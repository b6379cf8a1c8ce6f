-- Customers with a verified order for a visit on a day, a batch at a time.
--
-- today  date, after  uuid, limit  int
-- returns customer ids, in order

SELECT DISTINCT customer_id
  FROM customers_order
 WHERE visit_date = %(today)s::date
   AND evidence = 2
   AND status IN ('placed', 'amended', 'partly_refunded')
   AND customer_id > %(after)s::uuid
 ORDER BY customer_id
 LIMIT %(limit)s
