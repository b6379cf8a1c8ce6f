-- Log who read records by the API. Commits without waiting for the disk: rows that a crash of
-- Postgres loses, within half a second, are no reason to make every read as slow as a write.
--
-- ids    uuid[]
-- actor, role, what, reason  text
-- at     timestamptz

WITH relaxed AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true)
)
INSERT INTO customers_accesslogentry (customer_id, at, actor, role, what, reason)
SELECT customer.id, %(at)s, %(actor)s, %(role)s, %(what)s, %(reason)s
  FROM relaxed, customers_customer AS customer
 WHERE customer.id = ANY (%(ids)s::uuid[])
