-- Lock these orders until the transaction ends, and read where they lead. Two transactions that
-- judge one order need not have a record in common.
--
-- ids  bigint[]
-- returns (id, the record it files under, the live record it belongs to)

SELECT id, record_id, customer_id
  FROM customers_identifier
 WHERE id = ANY (%(ids)s::bigint[])
 ORDER BY id
   FOR NO KEY UPDATE
