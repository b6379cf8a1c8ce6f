-- Read name, language, next visit and last activity of customers, for a list. Erased records are
-- left out.
--
-- ids    uuid[]  live records
-- today  date
-- returns id, name, language, visit_date, order_name, last_seen_at

SELECT customer.id,
       (SELECT coalesce(
                   max(value #>> '{}') FILTER (WHERE name = 'name'),
                   string_agg(value #>> '{}', ' ' ORDER BY name)
                       FILTER (WHERE name IN ('first_name', 'firstName', 'last_name', 'lastName')))
          FROM customers_trait
         WHERE customer_id = customer.id
           AND name IN ('name', 'first_name', 'firstName', 'last_name', 'lastName')
           AND jsonb_typeof(value) = 'string'),
       (SELECT value #>> '{}'
          FROM customers_trait
         WHERE customer_id = customer.id AND name = 'language'
           AND jsonb_typeof(value) = 'string'),
       visit.visit_date, visit.order_name, customer.last_seen_at
  FROM customers_customer AS customer
  LEFT JOIN LATERAL (
        SELECT visit_date, details ->> 'name' AS order_name
          FROM customers_order
         WHERE customer_id = customer.id AND evidence = 2 AND visit_date >= %(today)s
           AND status IN ('placed', 'amended', 'partly_refunded')
         ORDER BY visit_date, visit_time NULLS LAST, number
         LIMIT 1) AS visit ON true
 WHERE customer.id = ANY (%(ids)s::uuid[])
   AND NOT EXISTS (SELECT FROM customers_erasedrecord AS erased
                    WHERE erased.id = customer.id)
