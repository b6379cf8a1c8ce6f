-- Withdraw queued messages, and unread inbox messages that have not expired. Sent e-mail and SMS
-- cannot be withdrawn. The caller has locked the customers.
--
-- ids  uuid[], now  timestamptz
-- returns (message, live record, whether the customer could see it) of withdrawn messages

WITH withdrawable AS MATERIALIZED (
    SELECT id, customer_id, state <> 'queued' AS was_visible
      FROM butler_message
     WHERE id = ANY (%(ids)s::uuid[])
       AND (state = 'queued'
            OR (channel = 'inbox' AND state IN ('accepted', 'delivered')
                AND read_at IS NULL AND expires_at > %(now)s))
     ORDER BY id
       FOR UPDATE
), withdrawn AS (
    UPDATE butler_message AS message
       SET state = 'withdrawn', state_at = %(now)s, reason = 'pause_switch'
      FROM withdrawable
     WHERE message.id = withdrawable.id
 RETURNING message.id
)
SELECT withdrawable.id, coalesce(record.canonical_id, record.id), withdrawable.was_visible
  FROM withdrawn
  JOIN withdrawable ON withdrawable.id = withdrawn.id
  JOIN customers_customer AS record ON record.id = withdrawable.customer_id
 ORDER BY withdrawable.id
