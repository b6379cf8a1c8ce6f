-- The versions of these customers, and the canonical customer of each.
--
-- customer_ids  uuid[]

SELECT id::text, version, canonical_id::text
  FROM customers_customer
 WHERE id = ANY (%(customer_ids)s::uuid[])
