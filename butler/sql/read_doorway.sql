-- Where a record leads to now: the live record, all records that are the same customer, how
-- far the log is, and how many messages in the inbox nobody has read.
--
-- id  uuid  of the record, or of one that was joined into it
-- returns one row (live, ids, version, unread), or none where there is no such record

WITH live AS MATERIALIZED (
    SELECT live.id, live.version,
           live.id || ARRAY (SELECT member.id
                               FROM customers_customer AS member
                              WHERE member.canonical_id = live.id
                              ORDER BY member.id) AS ids
      FROM customers_customer AS asked
      JOIN customers_customer AS live ON live.id = coalesce(asked.canonical_id, asked.id)
     WHERE asked.id = %(id)s
)
SELECT live.id, live.ids, live.version,
       (SELECT count(*)
          FROM butler_message AS message
         WHERE message.customer_id = ANY (live.ids)
           AND message.channel = 'inbox'
           AND message.state IN ('accepted', 'delivered')
           AND message.read_at IS NULL)
  FROM live
