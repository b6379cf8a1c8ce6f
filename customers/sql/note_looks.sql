-- Write down who looked at records by way of the API. Commits without waiting for the disk: a
-- look that is lost with a crash of Postgres, within half a second, is no reason to make every
-- read as slow as a write.
--
-- ids    uuid[]
-- actor, role, what, reason  text
-- at     timestamptz

WITH relaxed AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true)
)
INSERT INTO customers_look (customer_id, at, actor, role, what, reason)
SELECT customer.id, %(at)s, %(actor)s, %(role)s, %(what)s, %(reason)s
  FROM relaxed, customers_customer AS customer
 WHERE customer.id = ANY (%(ids)s::uuid[])
