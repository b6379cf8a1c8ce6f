-- Find the records that have this identifier: several if, for example, a family or an office shares it.
-- A claimed identifier counts only if there is no verified one with the value.
--
-- Numbers of the caller's source or space have priority. An order number may also have come in events
-- without an order. Claims hide no verified order and no order request of a signed-in customer. A shared
-- or only noted value has no record: the identifiers that came with it lead to records. An erased record
-- is not returned.
--
-- kind, value  text  normalized
-- is_number    bool  the kind is a number that sources give: user_id or external:<system>
-- source       int   the source whose numbers and orders have priority; null: no source
-- with_noted   bool  find records that a till or a desk noted with the value, too
-- limit        int
-- returns id, version, name, is_verified and is_known of the live records, the last seen first;
-- is_known is false for a record that contains only events with this identifier

WITH named AS MATERIALIZED (
    SELECT id, customer_id, evidence, is_shared
      FROM customers_identifier AS identifier
     WHERE kind = %(kind)s AND value = %(value)s AND kind <> 'order'
       AND NOT %(is_number)s::boolean
       AND NOT EXISTS (SELECT FROM customers_earlierperiod AS earlier
                        WHERE earlier.id = identifier.id)
     UNION ALL
    (SELECT identifier.id, identifier.customer_id, identifier.evidence, identifier.is_shared
       FROM customers_identifier AS identifier
       LEFT JOIN customers_source AS source
         ON source.id = CASE WHEN %(is_number)s::boolean
                             THEN split_part(identifier.value, '/', 1)::bigint END
       LEFT JOIN customers_source AS caller ON caller.id = %(source)s::int
      WHERE %(is_number)s::boolean AND identifier.kind = %(kind)s
        AND substring(identifier.value, strpos(identifier.value, '/') + 1) = %(value)s
        AND (identifier.kind = 'user_id' OR identifier.kind LIKE 'external:%%')
      ORDER BY CASE WHEN source.id = caller.id THEN 0
                    WHEN source.space_id = caller.space_id AND caller.space_id <> 1 THEN 1
                    ELSE 2 END
      FETCH FIRST 1 ROW WITH TIES)
), numbered AS MATERIALIZED (
    SELECT coalesce(customer.canonical_id, customer.id) AS customer_id, stated.evidence,
           EXISTS (SELECT FROM customers_identifier AS own
                    WHERE own.kind = 'order' AND own.evidence = 2
                      AND own.value = %(source)s::int || '/' || %(value)s
                      AND own.customer_id = stated.customer_id) AS is_own
      FROM customers_orders_with_number(%(value)s) AS stated
      JOIN customers_customer AS customer ON customer.id = stated.customer_id
     WHERE %(kind)s = 'order'
       AND (stated.evidence = 2 OR stated.asked_at IS NOT NULL
            OR NOT EXISTS (SELECT FROM customers_order AS requested
                            WHERE requested.number = %(value)s
                              AND requested.asked_at IS NOT NULL))
     UNION ALL
    SELECT customer_id, evidence, false
      FROM customers_identifier
     WHERE %(kind)s = 'order' AND kind = 'order'
       AND substring(value, strpos(value, '/') + 1) = %(value)s
       AND customer_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM customers_order
                        WHERE number = %(value)s AND (evidence = 2 OR asked_at IS NOT NULL))
), linked AS (
    SELECT CASE WHEN link.first_id = named.id THEN link.second_id ELSE link.first_id END AS id,
           least(link.evidence, named.evidence) AS evidence
      FROM named
      JOIN customers_link AS link ON named.id IN (link.first_id, link.second_id)
     WHERE named.is_shared OR (%(with_noted)s::boolean AND link.evidence >= 20)
), owner AS (
    SELECT customer_id, evidence FROM named WHERE customer_id IS NOT NULL
    UNION ALL
    SELECT identifier.customer_id, least(linked.evidence, identifier.evidence)
      FROM linked
      JOIN customers_identifier AS identifier USING (id)
     WHERE identifier.customer_id IS NOT NULL
       AND identifier.kind NOT IN ('anonymous_id', 'device')
    UNION ALL
    SELECT customer_id, evidence
      FROM numbered
     WHERE is_own OR NOT EXISTS (SELECT FROM numbered AS own WHERE own.is_own AND own.evidence = 2)
), weighed AS (
    SELECT customer_id, max(evidence) AS evidence
      FROM owner
     WHERE NOT EXISTS (SELECT FROM customers_erasedrecord AS erased
                        WHERE erased.id = owner.customer_id)
     GROUP BY customer_id
)
SELECT customer.id, customer.version,
       (SELECT string_agg(trait.value #>> '{}', ' ' ORDER BY trait.name)
          FROM customers_trait AS trait
         WHERE trait.customer_id = customer.id
           AND jsonb_typeof(trait.value) = 'string'
           AND CASE WHEN EXISTS (SELECT FROM customers_trait AS whole
                                  WHERE whole.customer_id = customer.id
                                    AND whole.name = 'name'
                                    AND jsonb_typeof(whole.value) = 'string')
                    THEN trait.name = 'name'
                    ELSE trait.name IN ('first_name', 'firstName', 'last_name', 'lastName')
               END) AS name,
       weighed.evidence = 2 AS is_verified,
       EXISTS (SELECT FROM customers_trait AS trait
                WHERE trait.customer_id = customer.id)
       OR EXISTS (SELECT FROM customers_order AS placed
                   WHERE placed.customer_id = customer.id)
       OR EXISTS (SELECT FROM customers_identifier AS other
                   WHERE other.customer_id = customer.id
                     AND (other.kind, other.value) <> (%(kind)s, %(value)s)) AS is_known
  FROM weighed
  JOIN customers_customer AS customer ON customer.id = weighed.customer_id
 WHERE weighed.evidence = (SELECT max(evidence) FROM weighed)
 ORDER BY customer.last_seen_at DESC NULLS LAST, customer.id
 LIMIT %(limit)s
