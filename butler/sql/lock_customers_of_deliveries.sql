-- Lock the customers of deliveries, in the order of their ids.
--
-- deliveries  uuid[]
-- returns (record of the delivery, live record, version of its log, whether the live record was
--          merged during the wait for the lock; then the caller must retry)

SELECT record.id, live.id, live.version, live.canonical_id IS NOT NULL
  FROM customers_customer AS live
  JOIN customers_customer AS record ON coalesce(record.canonical_id, record.id) = live.id
 WHERE record.id IN (SELECT customer_id
                        FROM butler_delivery
                       WHERE id = ANY (%(deliveries)s::uuid[]))
 ORDER BY live.id, record.id
   FOR NO KEY UPDATE OF live
