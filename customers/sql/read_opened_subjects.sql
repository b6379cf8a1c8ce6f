-- Read the subjects, such as orders and calls, that a session opens of one record. An order opens with
-- the event that placed or requested it; other subjects, and orders that no event placed, open with any
-- event about them. Only the events of the strongest evidence count, as in the projections: everybody
-- can claim something about the order of somebody else. A subject that only claims name opens if no
-- claim about it is filed elsewhere.
--
-- live_id     uuid
-- record_ids  uuid[]  the records that the session opens

SELECT about
  FROM (SELECT event.about, event.evidence, record.id = ANY (%(record_ids)s::uuid[]) AS is_open,
               event.about LIKE 'order:%%'
               AND event.name IN ('Order Completed', 'Order Requested') AS is_placing,
               max(event.evidence) OVER (PARTITION BY event.about) AS best_evidence
          FROM customers_customer AS record
         CROSS JOIN LATERAL customers_filed_events(record.id) AS event
         WHERE (record.id = %(live_id)s OR record.canonical_id = %(live_id)s)
           AND event.about <> '') AS subject
 WHERE evidence = best_evidence
 GROUP BY about, evidence
HAVING CASE WHEN evidence = 1 THEN bool_and(is_open)
            ELSE bool_or(is_open AND is_placing) OR (bool_or(is_open) AND NOT bool_or(is_placing))
            END
