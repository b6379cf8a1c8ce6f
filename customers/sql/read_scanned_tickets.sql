-- Read the tickets with these codes, with their orders and the earlier scans of the orders' tickets.
--
-- digests  bytea[]
-- keys     uuid[]   the keys of the scans
-- returns the fields of customers.tickets.states.ScannedTicket

SELECT code.digest, code.order_key, code.guest, code.origin, code.ended_at, code.end_reason,
       code.visit_date, live.id, live.version,
       live.id <> coalesce(holder.canonical_id, holder.id),
       EXISTS (SELECT FROM customers_erasedrecord AS erased WHERE erased.id = live.id),
       placed.number, coalesce(placed.status, ''), coalesce(placed.evidence, 0), placed.visit_date,
       placed.visit_time, coalesce(placed.lines, '[]'),
       coalesce(jsonb_array_length(placed.party), 0),
       (SELECT string_agg(trait.value #>> '{}', ' ' ORDER BY trait.name)
          FROM customers_trait AS trait
         WHERE trait.customer_id = live.id
           AND jsonb_typeof(trait.value) = 'string'
           AND CASE WHEN EXISTS (SELECT FROM customers_trait AS whole
                                  WHERE whole.customer_id = live.id AND whole.name = 'name'
                                    AND jsonb_typeof(whole.value) = 'string')
                    THEN trait.name = 'name'
                    ELSE trait.name IN ('first_name', 'firstName', 'last_name', 'lastName')
               END),
       (SELECT coalesce(jsonb_agg(jsonb_build_array(scan.key, scan.guest, scan.state, scan.outcome,
                                                    scan.scanned_at, scan.place)
                                  ORDER BY scan.id), '[]')
          FROM customers_gatescan AS scan
         WHERE scan.order_key = code.order_key
           AND (scan.outcome <> 'refused' OR scan.key = ANY (%(keys)s::uuid[])))
  FROM customers_ticketcode AS code
  JOIN customers_customer AS holder ON holder.id = code.customer_id
  LEFT JOIN customers_identifier AS owner
    ON owner.kind = 'order' AND owner.value = code.order_key AND owner.evidence = 2
   AND owner.erasure_id IS NULL AND owner.customer_id IS NOT NULL
  JOIN customers_customer AS live
    ON live.id = coalesce(owner.customer_id, holder.canonical_id, holder.id)
  LEFT JOIN LATERAL (
       -- Of two orders with one number, the one whose source is in the key of the order.
       SELECT *
         FROM customers_order AS numbered
        WHERE numbered.customer_id = live.id
          AND customers_sent_number(numbered.number) = customers_sent_number(code.number)
        ORDER BY numbered.source_id::text = split_part(code.order_key, '/', 1) DESC NULLS LAST,
                 numbered.number = code.number DESC, numbered.number
        LIMIT 1) AS placed ON true
 WHERE code.digest = ANY (%(digests)s::bytea[])
