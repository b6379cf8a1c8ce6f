-- What a till needs to know of a record's orders: the one asked for, or the next visit's.
-- An order that somebody only claims opens no gate: any page may claim one.
--
-- id      uuid  of a live record
-- number  text  of the order that was scanned; empty: the next visit's
-- today   date  where the till stands
-- returns number, status, visit_date, visit_time, or no row

SELECT number, status, visit_date, visit_time
  FROM customers_order
 WHERE customer_id = %(id)s
   AND evidence = 2
   AND CASE WHEN %(number)s <> '' THEN number = %(number)s
            ELSE visit_date >= %(today)s AND status IN ('placed', 'amended') END
 ORDER BY visit_date NULLS LAST, visit_time NULLS LAST, number
 LIMIT 1
