-- Read the orders of any source with one of these numbers, except the orders that are already read.
--
-- numbers   text[]
-- excluded  bigint[]  orders to leave out
-- returns the same as read_linked_orders

SELECT identifier.id, identifier.kind, identifier.value, identifier.evidence,
       0, false, false, false, false, COALESCE(identifier.erasure_id, 0), identifier.is_shared,
       identifier.record_id, identifier.customer_id,
       record.canonical_id, COALESCE(record.version, 0),
       EXISTS (SELECT FROM customers_manualdecision
                WHERE first_id = identifier.id AND kind = 'merge' AND undone_at IS NULL)
       OR EXISTS (SELECT FROM customers_manualdecision
                   WHERE second_id = identifier.id AND kind = 'merge' AND undone_at IS NULL)
  FROM customers_identifier AS identifier
  LEFT JOIN customers_customer AS record ON record.id = identifier.record_id
 WHERE identifier.kind = 'order' AND identifier.evidence = 2
   AND substring(identifier.value, strpos(identifier.value, '/') + 1)
       = ANY (%(numbers)s::text[])
   AND identifier.id <> ALL (%(excluded)s::bigint[])
