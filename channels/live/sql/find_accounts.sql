-- The identifiers of one account, in all spaces and periods that were not erased.
--
-- kind, value  text

SELECT id
  FROM customers_identifier
 WHERE kind = %(kind)s
   AND value = %(value)s
   AND evidence = 2
   AND erasure_id IS NULL
