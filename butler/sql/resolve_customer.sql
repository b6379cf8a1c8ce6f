-- Resolve a record to its customer: the live record, all records of the customer, the version of
-- the log, and the number of unread messages in the inbox.
--
-- id  uuid  a record, live or merged
-- record_ids  uuid[]  the records whose inbox a session opens; null for all. Messages on the record into
--         which one of them was merged count since the merge
-- returns one row (live, ids, version, unread), or none if the record does not exist

WITH live AS MATERIALIZED (
    SELECT live.id, live.version,
           live.id || ARRAY (SELECT merged.id
                               FROM customers_customer AS merged
                              WHERE merged.canonical_id = live.id
                              ORDER BY merged.id) AS ids
      FROM customers_customer AS record
      JOIN customers_customer AS live ON live.id = coalesce(record.canonical_id, record.id)
     WHERE record.id = %(id)s
)
SELECT live.id, live.ids, live.version,
       (SELECT count(*)
          FROM butler_message AS message
         WHERE message.customer_id = ANY (live.ids)
           AND message.channel = 'inbox'
           AND (%(record_ids)s::uuid[] IS NULL
                OR message.customer_id = ANY (%(record_ids)s::uuid[])
                OR EXISTS (SELECT
                             FROM customers_merge AS merge
                            WHERE merge.merged_into_id = message.customer_id
                              AND merge.record_id = ANY (%(record_ids)s::uuid[])
                              AND merge.undone_at IS NULL
                              AND merge.merged_at <= message.created_at))
           AND message.state IN ('accepted', 'delivered')
           AND message.read_at IS NULL)
  FROM live
