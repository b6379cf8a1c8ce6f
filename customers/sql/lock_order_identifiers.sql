-- Lock these orders until the transaction ends, and read their records. The locks of records are
-- not enough: two transactions that place the same order may lock different records.
--
-- ids  bigint[]
-- returns (id, its own record, its live record)

SELECT id, record_id, customer_id
  FROM customers_identifier
 WHERE id = ANY (%(ids)s::bigint[])
 ORDER BY id
   FOR NO KEY UPDATE
