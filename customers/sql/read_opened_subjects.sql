-- Read the subjects, such as orders and calls, that a session opens of one record. An order opens with
-- the event that placed or requested it; other subjects, and orders that no event placed, open with any
-- event about them. Only the events of the strongest evidence count, as in the projections: everybody
-- can claim something about the order of somebody else. A subject that only claims name opens if no
-- claim about it is filed elsewhere. The function is the rule for streams, too (migration 0042).
--
-- live_id           uuid
-- record_ids        uuid[]       the records that the session opens
-- later_record_ids  uuid[]       records of which it opens only what began at opened_since or later
-- opened_since      timestamptz  null if it opens no such record

SELECT about
  FROM customers_opened_subjects(%(live_id)s::uuid, %(record_ids)s::uuid[], NULL,
                                 %(later_record_ids)s::uuid[], %(opened_since)s::timestamptz)
