-- The messages to this customer that were sent since a time, or may have been, newest first.
--
-- customer  uuid  a live record, since  timestamptz

SELECT id, channel, topic, purpose, subject, state, coalesce(handed_over_at, state_at)
  FROM butler_message
 WHERE customer_id IN (SELECT id FROM customers_customer
                        WHERE id = %(customer)s OR canonical_id = %(customer)s)
   AND created_at >= %(since)s - interval '30 days'
   AND (handed_over_at >= %(since)s OR state IN ('sending', 'uncertain'))
 ORDER BY coalesce(handed_over_at, state_at) DESC, id DESC
 LIMIT 20
