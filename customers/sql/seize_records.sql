-- Lock those of these records that can be locked without waiting. Who waits while holding
-- other locks may wait for somebody who waits in turn; Postgres takes a second to notice.
--
-- ids  uuid[]

SELECT id
  FROM customers_customer
 WHERE id = ANY (%(ids)s::uuid[])
 ORDER BY id
   FOR NO KEY UPDATE SKIP LOCKED
