-- Drop what no entry speaks for any more.
--
-- ids  uuid[]

DELETE FROM customers_control
 WHERE customer_id = ANY (%(ids)s::uuid[])
