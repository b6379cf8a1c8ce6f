-- Lock the live record of a customer, whose log is to grow.
--
-- id  uuid  of the record, or of one that was joined into it
-- returns one row, or none where there is no such record: the live record,
-- and whether it was merged into another while we waited (then: try again)

SELECT live.id, live.canonical_id IS NOT NULL
  FROM customers_customer AS live
 WHERE live.id = (SELECT COALESCE(record.canonical_id, record.id)
                    FROM customers_customer AS record
                   WHERE record.id = %(id)s)
   FOR NO KEY UPDATE
