-- Read the proved mailboxes that become addresses of these customers by changes that wait. Service
-- messages go to them, too. A frozen change has no such effect.
--
-- ids  uuid[]  live records
-- returns (live record, mailboxes)

SELECT holder.customer_id, array_agg(DISTINCT mailbox.value)
  FROM customers_addresschange AS change
  JOIN customers_identifier AS mailbox ON mailbox.id = change.added_id
  JOIN customers_identifier AS holder ON holder.id = ANY (change.holder_ids)
 WHERE change.state = 'pending'
   AND holder.customer_id = ANY (%(ids)s::uuid[])
   AND mailbox.kind = 'email' AND mailbox.proved_at IS NOT NULL AND mailbox.erasure_id IS NULL
   AND NOT EXISTS (SELECT
                     FROM customers_suppression AS suppression
                    WHERE suppression.channel = 'email' AND suppression.address = mailbox.value
                      AND suppression.lifted_at IS NULL)
 GROUP BY holder.customer_id
