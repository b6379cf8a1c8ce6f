-- The versions of these customers, the canonical customer of each, and the version of its grouping.
--
-- customer_ids  uuid[]

SELECT id::text, version, canonical_id::text, grouping_version
  FROM customers_customer
 WHERE id = ANY (%(customer_ids)s::uuid[])
