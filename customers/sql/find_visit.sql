-- Find an order for a till: the scanned order, or the order of the next visit. Claimed orders are
-- not found, because any web page can claim an order.
--
-- id      uuid  a live record
-- number  text  the number of the scanned order; empty: the order of the next visit
-- today   date  the date at the till
-- returns number, status, visit_date, visit_time, or no row

SELECT number, status, visit_date, visit_time
  FROM customers_order
 WHERE customer_id = %(id)s
   AND evidence = 2
   AND CASE WHEN %(number)s <> '' 
              THEN %(number)s IN (number, customers_sent_number(number))
            ELSE visit_date >= %(today)s AND status IN ('placed', 'amended', 'partly_refunded') END
 ORDER BY visit_date NULLS LAST, visit_time NULLS LAST, number
 LIMIT 1
