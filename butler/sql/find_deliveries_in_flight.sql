-- Return one row if a delivery to this customer is in flight.
--
-- customer  uuid  a live record

SELECT 1
  FROM butler_delivery
 WHERE outcome = ''
   AND lease_until > clock_timestamp()
   AND customer_id IN (SELECT id FROM customers_customer
                        WHERE id = %(customer)s OR canonical_id = %(customer)s)
 LIMIT 1
