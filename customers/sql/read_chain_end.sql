-- The last link of a record's chain; the caller holds the lock on the record.
--
-- id  uuid

SELECT seq, digest
  FROM customers_controlentry
 WHERE record_id = %(id)s
 ORDER BY seq DESC
 LIMIT 1
