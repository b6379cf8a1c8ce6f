-- Delete rows for which the log contains no events any more.
--
-- customers, names  uuid[], text[]

DELETE FROM customers_order AS stored_order
 USING unnest(%(customers)s::uuid[], %(names)s::text[]) AS deleted (customer_id, name)
 WHERE stored_order.customer_id = deleted.customer_id
   AND stored_order.number = deleted.name
