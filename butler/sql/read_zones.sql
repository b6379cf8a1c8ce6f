-- The time zones that customers stated, as a setting or as a trait; empty if there is none.
--
-- ids  uuid[]
-- returns (customer, zone)

SELECT customer.id,
       coalesce((SELECT setting->>'value'
                   FROM customers_control AS control,
                        jsonb_array_elements(control.state->'settings') AS setting
                  WHERE control.customer_id = customer.id
                    AND setting->>'name' = 'zone'
                  LIMIT 1),
                (SELECT value #>> '{}' FROM customers_trait
                  WHERE customer_id = customer.id AND name = 'timezone'), '')
  FROM unnest(%(ids)s::uuid[]) AS customer (id)
