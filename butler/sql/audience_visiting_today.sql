-- Customers who visit on a day, as a trusted source says, a batch at a time.
--
-- today  date, after  uuid, limit  int
-- returns ids in their order

SELECT DISTINCT customer_id
  FROM customers_order
 WHERE visit_date = %(today)s::date
   AND evidence = 2
   AND status IN ('placed', 'amended')
   AND customer_id > %(after)s::uuid
 ORDER BY customer_id
 LIMIT %(limit)s
