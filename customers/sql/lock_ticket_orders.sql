-- Lock the orders of these codes at the gate until the transaction ends, and read the attempts of the
-- source with unknown codes.
--
-- digests  bytea[]
-- subject  bytea        the subject of the attempts
-- window   timestamptz  their time window
-- returns the number of attempts, and of locked orders

SELECT coalesce((SELECT tries FROM customers_attemptcount
                  WHERE subject = %(subject)s::bytea AND "window" = %(window)s), 0),
       count(pg_advisory_xact_lock(1953063787, hashtext(order_key)))
  FROM (SELECT DISTINCT order_key FROM customers_ticketcode
         WHERE digest = ANY (%(digests)s::bytea[])
         ORDER BY order_key) AS scanned
