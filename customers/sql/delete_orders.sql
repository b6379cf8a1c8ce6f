-- Delete rows for which the log contains no events any more: those of all orders with these numbers.
--
-- customers, names  uuid[], text[]

DELETE FROM customers_order AS stored_order
 USING unnest(%(customers)s::uuid[], %(names)s::text[]) AS deleted (customer_id, name)
 WHERE stored_order.customer_id = deleted.customer_id
   AND (stored_order.number = customers_sent_number(deleted.name)
        OR stored_order.number LIKE '%%·%%'
           AND customers_sent_number(stored_order.number) = customers_sent_number(deleted.name))
