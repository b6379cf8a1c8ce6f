-- Orders with an upcoming visit that have no run of the automation for it yet.
--
-- automation  text
-- days        jsonb  [{upcoming_date, action_date (of the run)}, ...]
-- customer, about   where the last batch ended, limit  int
-- returns (customer, about, upcoming_date, action_date, zone that the customer stated, placed_at)

SELECT visit.customer_id, 'order:' || visit.number, visit.visit_date, planned.action_date,
       coalesce((SELECT setting->>'value'
                   FROM customers_consentstate AS consent_state,
                        jsonb_array_elements(consent_state.state->'settings') AS setting
                  WHERE consent_state.customer_id = visit.customer_id
                    AND setting->>'name' = 'zone'
                  LIMIT 1),
                (SELECT value #>> '{}' FROM customers_trait
                  WHERE customer_id = visit.customer_id AND name = 'timezone'), ''),
       visit.placed_at
  FROM jsonb_to_recordset(%(days)s::jsonb) AS planned (upcoming_date date, action_date date)
  JOIN customers_order AS visit ON visit.visit_date = planned.upcoming_date
 WHERE visit.evidence = 2
   AND visit.status IN ('placed', 'amended', 'partly_refunded')
   AND (visit.customer_id, 'order:' || visit.number) > (%(customer)s::uuid, %(about)s)
   AND NOT EXISTS (SELECT FROM butler_run AS run
                    WHERE run.customer_id = visit.customer_id
                      AND run.automation_id = %(automation)s
                      AND run.occasion = 'order:' || visit.number || ':' || planned.action_date)
 ORDER BY visit.customer_id, 'order:' || visit.number
 LIMIT %(limit)s
