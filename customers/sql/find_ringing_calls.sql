-- Find the calls that ring or were just answered, the newest first.
--
-- since  timestamptz
-- limit  int
-- returns reference, status, staff, started_at, number, of_customer

SELECT reference, status, staff, started_at, 
       coalesce(details ->> 'number', details ->> 'from'), customer_id
  FROM customers_interaction
 WHERE kind = 'call' AND status IN ('ringing', 'answered') AND started_at >= %(since)s
   AND direction <> 'out'
 ORDER BY started_at DESC, reference, customer_id
 LIMIT %(limit)s
