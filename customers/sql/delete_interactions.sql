-- Delete rows of which the log has nothing left.
--
-- customers, names  uuid[], text[]

DELETE FROM customers_interaction AS interaction
 USING unnest(%(customers)s::uuid[], %(names)s::text[]) AS deleted (customer_id, name)
 WHERE interaction.customer_id = deleted.customer_id
   AND interaction.reference = deleted.name
