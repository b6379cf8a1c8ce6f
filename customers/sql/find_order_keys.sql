-- Find the keys of the tickets of the orders with this number: the identifier of the order that the
-- source which placed it gave, or else the first one.
--
-- number       text
-- customer_id  uuid  null: of any live record
-- returns order_key and customer_id of the verified orders

SELECT DISTINCT ON (placed.customer_id)
       coalesce(identifier.value, placed.customer_id || '/' || placed.number), placed.customer_id
  FROM customers_order AS placed
  LEFT JOIN customers_identifier AS identifier
    ON identifier.kind = 'order' AND identifier.evidence = 2 AND identifier.erasure_id IS NULL
   AND substring(identifier.value, strpos(identifier.value, '/') + 1) = placed.number
   AND identifier.customer_id = placed.customer_id
 WHERE placed.number = %(number)s
   AND (%(customer_id)s::uuid IS NULL OR placed.customer_id = %(customer_id)s::uuid)
   AND NOT EXISTS (SELECT FROM customers_erasedrecord AS erased
                    WHERE erased.id = placed.customer_id)
 ORDER BY placed.customer_id,
          EXISTS (SELECT FROM customers_link AS link
                   WHERE identifier.id IN (link.first_id, link.second_id)
                     AND link.kind = 'placed') DESC,
          identifier.id
