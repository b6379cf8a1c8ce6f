-- Lock these identifiers until the transaction ends, in the order of their ids. The locks of
-- records are not enough: two transactions that give one phone to two records lock different ones.
--
-- ids  bigint[]

SELECT id
  FROM customers_identifier
 WHERE id = ANY (%(ids)s::bigint[])
 ORDER BY id
   FOR NO KEY UPDATE
