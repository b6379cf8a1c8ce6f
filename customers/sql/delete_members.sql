-- Delete rows for which the log contains no member any more.
--
-- customers, names  uuid[], text[]

DELETE FROM customers_partymember AS member
 USING unnest(%(customers)s::uuid[], %(names)s::text[]) AS deleted (customer_id, name)
 WHERE member.customer_id = deleted.customer_id
   AND member.reference = deleted.name
