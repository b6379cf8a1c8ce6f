-- The time zones that customers stated, as a setting or as a trait; empty if there is none.
--
-- ids  uuid[]
-- returns (customer, zone)

SELECT customer.id,
       coalesce((SELECT setting->>'value'
                   FROM customers_consentstate AS consent_state,
                        jsonb_array_elements(consent_state.state->'settings') AS setting
                  WHERE consent_state.customer_id = customer.id
                    AND setting->>'name' = 'zone'
                  LIMIT 1),
                (SELECT value #>> '{}' FROM customers_trait
                  WHERE customer_id = customer.id AND name = 'timezone'), '')
  FROM unnest(%(ids)s::uuid[]) AS customer (id)
