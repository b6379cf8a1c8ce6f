-- Drop what the log no longer amounts to.
--
-- customers, names  uuid[], text[]

DELETE FROM customers_request AS kept
 USING unnest(%(customers)s::uuid[], %(names)s::text[]) AS gone (customer_id, name)
 WHERE kept.customer_id = gone.customer_id
   AND kept.reference = gone.name
