-- Delete rows for which the log contains no events any more.
--
-- customers, names  uuid[], text[]

DELETE FROM customers_request AS request
 USING unnest(%(customers)s::uuid[], %(names)s::text[]) AS deleted (customer_id, name)
 WHERE request.customer_id = deleted.customer_id
   AND request.reference = deleted.name
