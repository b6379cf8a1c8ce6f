-- Log that a colleague opened a stream of a record, unless the access log already has a look of the
-- same colleague within the last minutes, such as the console page that opens the stream. The commit
-- does not wait for the disk, as in insert_access_log.sql.
--
-- ids    uuid[]
-- actor, role, what, reason  text
-- at, since  timestamptz

WITH relaxed AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true)
)
INSERT INTO customers_accesslogentry (customer_id, at, actor, role, what, reason)
SELECT customer.id, %(at)s::timestamptz, %(actor)s::text, %(role)s::text, %(what)s::text,
       %(reason)s::text
  FROM relaxed, customers_customer AS customer
 WHERE customer.id = ANY (%(ids)s::uuid[])
   AND NOT EXISTS (
       SELECT
         FROM customers_accesslogentry AS look
        WHERE look.customer_id = customer.id
          AND look.at > %(since)s::timestamptz
          AND look.actor = %(actor)s::text)
RETURNING customer_id
