-- The live records that an identifier leads to, proved before claimed.
--
-- kind, value  text  normalized

SELECT customer.id, customer.version, customer.created_at, customer.last_seen_at,
       identifier.trust, name.value::text
  FROM customers_identifier AS identifier
  JOIN customers_customer AS customer ON customer.id = identifier.customer_id
  LEFT JOIN customers_trait AS name
         ON name.customer_id = customer.id AND name.name = 'name'
 WHERE identifier.kind = %(kind)s
   AND identifier.value = %(value)s
 ORDER BY identifier.trust DESC
