-- Read the orders that are linked to these identifiers, except the orders that are already read.
--
-- ids       bigint[]  identifiers of people, browsers and devices
-- excluded  bigint[]  orders to leave out
-- returns the identifiers as read_graph does, and whether staff merged the order with others

SELECT identifier.id, identifier.kind, identifier.value, identifier.evidence,
       0, false, false, false, false, COALESCE(identifier.erasure_id, 0), identifier.is_shared,
       identifier.record_id, identifier.customer_id,
       record.canonical_id, COALESCE(record.version, 0),
       EXISTS (SELECT FROM customers_manualdecision
                WHERE first_id = identifier.id AND kind = 'merge' AND undone_at IS NULL)
       OR EXISTS (SELECT FROM customers_manualdecision
                   WHERE second_id = identifier.id AND kind = 'merge' AND undone_at IS NULL)
  FROM (SELECT second_id AS id FROM customers_link
         WHERE first_id = ANY (%(ids)s::bigint[]) AND kind IN ('placed', 'seen', 'moved')
         UNION
        SELECT first_id FROM customers_link
         WHERE second_id = ANY (%(ids)s::bigint[]) AND kind IN ('placed', 'seen', 'moved')) AS linked
  JOIN customers_identifier AS identifier USING (id)
  LEFT JOIN customers_customer AS record ON record.id = identifier.record_id
 WHERE identifier.kind = 'order'
   AND identifier.id <> ALL (%(excluded)s::bigint[])
