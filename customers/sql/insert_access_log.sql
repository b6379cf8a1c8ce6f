-- Log that a caller of the API read records. The commit does not wait for the disk, because
-- otherwise each read would be as slow as a write. A crash of Postgres may lose the rows of the
-- last half second.
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
RETURNING customer_id
