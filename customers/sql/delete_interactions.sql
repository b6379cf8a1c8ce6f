-- Delete rows for which the log contains no events any more.
--
-- customers, names  uuid[], text[]

DELETE FROM customers_interaction AS interaction
 USING unnest(%(customers)s::uuid[], %(names)s::text[]) AS deleted (customer_id, name)
 WHERE interaction.customer_id = deleted.customer_id
   AND interaction.reference = deleted.name
