-- Delete rows of which the log has nothing left.
--
-- customers, names  uuid[], text[]

DELETE FROM customers_partymember AS member
 USING unnest(%(customers)s::uuid[], %(names)s::text[]) AS deleted (customer_id, name)
 WHERE member.customer_id = deleted.customer_id
   AND member.reference = deleted.name
