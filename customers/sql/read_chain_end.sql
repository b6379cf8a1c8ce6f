-- Read the last link of a record's chain. The caller holds the lock of the record.
--
-- id  uuid

SELECT seq, digest
  FROM customers_ledgerentry
 WHERE record_id = %(id)s
 ORDER BY seq DESC
 LIMIT 1
