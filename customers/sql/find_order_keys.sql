-- Find the keys of the tickets of the orders with a number. The key is the identifier of the order from
-- the source that placed it, or else the first identifier. If this source placed the number for several
-- customers, the identifier belongs to none of them, and the key is the number that the order shows.
--
-- number       text  as its events or as the order shows it
-- customer_id  uuid  null: of any live record
-- returns order_key and customer_id of the verified orders, the orders that show the number come first

SELECT coalesce(
           (SELECT own.value
              FROM customers_identifier AS own
             WHERE own.kind = 'order' AND own.evidence = 2 AND own.erasure_id IS NULL
               AND own.value = placed.source_id || '/' || customers_sent_number(placed.number)
               AND own.customer_id = placed.customer_id),
           (SELECT placed.source_id || '/' || placed.number
              FROM customers_identifier AS own
             WHERE own.kind = 'order' AND own.evidence = 2 AND own.erasure_id IS NULL
               AND own.value = placed.source_id || '/' || customers_sent_number(placed.number)
               AND own.is_shared),
           (SELECT identifier.value
              FROM customers_identifier AS identifier
             WHERE identifier.kind = 'order' AND identifier.evidence = 2
               AND identifier.erasure_id IS NULL
               AND substring(identifier.value, strpos(identifier.value, '/') + 1) = placed.number
               AND identifier.customer_id = placed.customer_id
             ORDER BY EXISTS (SELECT FROM customers_link AS link
                               WHERE identifier.id IN (link.first_id, link.second_id)
                                 AND link.kind = 'placed') DESC,
                      identifier.id
             LIMIT 1),
           placed.customer_id || '/' || placed.number), placed.customer_id
  FROM customers_orders_with_number(%(number)s) AS placed
 WHERE (%(customer_id)s::uuid IS NULL OR placed.customer_id = %(customer_id)s::uuid)
   AND NOT EXISTS (SELECT FROM customers_erasedrecord AS erased
                    WHERE erased.id = placed.customer_id)
 ORDER BY placed.number = %(number)s DESC, placed.customer_id, placed.number
