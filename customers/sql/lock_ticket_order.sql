-- Lock an order at the gate until the transaction ends, as lock_ticket_orders does.
--
-- order_key  text

SELECT pg_advisory_xact_lock(1953063787, hashtext(%(order_key)s::text))
