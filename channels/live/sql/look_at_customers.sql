-- Where the logs of these customers stand, and which record each is a part of by now.
--
-- customers  uuid[]

SELECT id::text, version, canonical_id::text
  FROM customers_customer
 WHERE id = ANY (%(customers)s::uuid[])
