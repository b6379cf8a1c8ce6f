-- Lock the live record of a customer, before an event is appended to its log.
--
-- id  uuid  the record, or a record that was merged into it
-- returns the live record, whether it was merged into another one while the statement waited for
-- the lock (the caller then tries again), and whether an address of it has the refusals of an erased
-- holder; no row if the record does not exist

SELECT live.id, live.canonical_id IS NOT NULL,
       EXISTS (SELECT FROM customers_identifier
                WHERE customer_id = live.id AND erasure_id IS NULL AND refused <> '{}')
  FROM customers_customer AS live
 WHERE live.id = (SELECT COALESCE(record.canonical_id, record.id)
                    FROM customers_customer AS record
                   WHERE record.id = %(id)s)
   FOR NO KEY UPDATE
