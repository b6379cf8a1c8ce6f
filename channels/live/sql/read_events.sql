-- Read the events after a version, of several logs with one statement. A log without new events gives
-- no row. Versions of one log come in order and without gaps.
--
-- customer_ids    uuid[]
-- after_versions  bigint[]  after which version, one for each customer
-- page_size       int       at most so many events of each customer
-- max_bytes       int       bytes of a customer's events after which no further one is added
-- are_whole       bool[]    whether the reader opens the whole record
-- part_numbers    bigint[]  for readers of a part: the number of the position
-- part_records    uuid[]    and a record that the reader opens
-- part_starts     timestamptz[]  only from this time on; null without a limit
-- with_contact    bool[]    whether the reader opens events about the record as a whole
--
-- returns the number of the position, from 1, and the event
--
-- is_ours is false for an event that is filed on a record which is no part of this one, because
-- the records were separated or the event was filed on another record later, and for an event that
-- the reader does not open (customers.queries.timeline); its body stays here.

SELECT log_position.number,
       event.version,
       event.kind,
       event.name,
       event.about,
       event.evidence,
       event.actor,
       event.message_id,
       event.occurred_at,
       event.recorded_at,
       source.channel,
       CASE WHEN ownership.is_ours THEN event.body ELSE 'null' END AS body,
       ownership.is_ours
  FROM unnest(%(customer_ids)s::uuid[], %(after_versions)s::bigint[], %(are_whole)s::bool[],
              %(with_contact)s::bool[])
       WITH ORDINALITY AS log_position (customer_id, after_version, is_whole, has_contact, number)
 CROSS JOIN LATERAL (
       SELECT page.*,
              -- The size on disk, so that nothing large is unpacked only to be left out.
              sum(pg_column_size(page.body)) OVER (ORDER BY page.version)
              - pg_column_size(page.body) AS bytes_before
         FROM (SELECT *
                 FROM customers_event
                WHERE customer_id = log_position.customer_id
                  AND version > log_position.after_version
                ORDER BY version
                LIMIT %(page_size)s) AS page
       ) AS event
  JOIN customers_source AS source ON source.id = event.source_id
  LEFT JOIN customers_refiledevent AS refiled
    ON refiled.customer_id = event.customer_id AND refiled.version = event.version
  LEFT JOIN customers_customer AS filing
    ON filing.id = coalesce(refiled.record_id, event.origin_id)
 CROSS JOIN LATERAL (
       SELECT coalesce(array_agg(part.record_id) FILTER (WHERE part.opened_since IS NULL), '{}'),
              coalesce(array_agg(part.record_id) FILTER (WHERE part.opened_since IS NOT NULL), '{}'),
              max(part.opened_since)
         FROM unnest(%(part_numbers)s::bigint[], %(part_records)s::uuid[],
                     %(part_starts)s::timestamptz[])
              AS part (number, record_id, opened_since)
        WHERE part.number = log_position.number
       ) AS opened (record_ids, later_ids, since)
 CROSS JOIN LATERAL (
       SELECT (coalesce(refiled.record_id, event.origin_id) IS NULL
               OR coalesce(filing.canonical_id, filing.id) = event.customer_id)
              AND (log_position.is_whole
                   OR CASE WHEN event.kind = 'identity' THEN false
                           WHEN event.kind IN ('control', 'message', 'task')
                           -- From the time when an opened record was merged into this one.
                           THEN log_position.has_contact
                                AND (event.customer_id = ANY (opened.record_ids)
                                     OR EXISTS (
                                        SELECT
                                          FROM customers_merge AS merge
                                         WHERE merge.merged_into_id = event.customer_id
                                           AND merge.record_id = ANY (opened.record_ids)
                                           AND merge.undone_at IS NULL
                                           AND merge.merged_at <= event.recorded_at))
                           ELSE coalesce(refiled.record_id, event.origin_id, event.customer_id)
                                = ANY (opened.record_ids)
                                OR (event.about = ''
                                    AND coalesce(refiled.record_id, event.origin_id,
                                                 event.customer_id) = ANY (opened.later_ids)
                                    AND event.occurred_at >= opened.since
                                    AND (event.kind <> 'identify' OR event.source_id = 1))
                                OR (event.about <> ''
                                    AND EXISTS (
                                        SELECT
                                          FROM customers_opened_subjects(
                                               event.customer_id, opened.record_ids, event.about,
                                               opened.later_ids, opened.since)))
                           END)
       ) AS ownership (is_ours)
 WHERE event.bytes_before < %(max_bytes)s
 ORDER BY log_position.number, event.version
