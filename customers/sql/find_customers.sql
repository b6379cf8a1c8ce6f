-- Find the live records that an identifier leads to, verified before claimed. An order number leads
-- to all records that have an order with this number, of any source. A number of a customer leads to
-- the customers of all sources that use it; with its source (`<source id>/<number>`) to one.
-- An erased record is not returned. Of an address, the latest period counts.
--
-- kind, value  text  normalized

SELECT customer.id, customer.version, customer.created_at, customer.last_seen_at,
       matching.evidence, name.value::text
  FROM (SELECT customer_id, evidence
          FROM customers_identifier AS identifier
         WHERE kind = %(kind)s AND value = %(value)s AND kind <> 'order'
           AND NOT EXISTS (SELECT FROM customers_earlierperiod AS earlier
                        WHERE earlier.id = identifier.id)
         UNION
        SELECT customer_id, evidence
          FROM customers_orders_with_number(%(value)s)
         WHERE %(kind)s = 'order'
         UNION
        SELECT customer_id, evidence
          FROM customers_identifier
         WHERE kind = %(kind)s
           AND (kind = 'user_id' OR kind LIKE 'external:%%')
           AND substring(value, strpos(value, '/') + 1) = %(value)s
         UNION
        SELECT customer_id, evidence
          FROM customers_identifier
         WHERE %(kind)s = 'order' AND kind = 'order'
           AND substring(value, strpos(value, '/') + 1) = %(value)s) AS matching
  JOIN customers_customer AS customer ON customer.id = matching.customer_id
  LEFT JOIN customers_trait AS name
         ON name.customer_id = customer.id AND name.name = 'name'
 WHERE NOT EXISTS (SELECT FROM customers_erasedrecord AS erased
                    WHERE erased.id = customer.id)
 ORDER BY matching.evidence DESC
