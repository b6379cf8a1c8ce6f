-- Customers with an upcoming anniversary of a date trait, such as their birthday, who have no run
-- of the automation for it yet.
--
-- automation, name  text
-- days        jsonb  [{month_day, upcoming_date, action_date (of the run)}, ...]
-- month_days  text[]  those days of the year, such as '04-18'
-- customer, about   where the last batch ended, limit  int
-- returns (customer, about, upcoming_date, action_date, zone that the customer stated, null)

SELECT trait.customer_id, 'trait:' || trait.name, planned.upcoming_date, planned.action_date,
       coalesce((SELECT setting->>'value'
                   FROM customers_consentstate AS consent_state,
                        jsonb_array_elements(consent_state.state->'settings') AS setting
                  WHERE consent_state.customer_id = trait.customer_id
                    AND setting->>'name' = 'zone'
                  LIMIT 1),
                (SELECT value #>> '{}' FROM customers_trait
                  WHERE customer_id = trait.customer_id AND name = 'timezone'), ''),
       NULL::timestamptz
  FROM jsonb_to_recordset(%(days)s::jsonb) AS planned (month_day text, upcoming_date date, action_date date)
  JOIN customers_trait AS trait
    ON substr(trait.value #>> '{}', 6, 5) = planned.month_day
 WHERE trait.name = %(name)s
   AND trait.evidence = 2
   -- The expression of the index, which contains only dates. The days are an array, because with
   -- the join alone Postgres would read all birthdays.
   AND substr(trait.value #>> '{}', 6, 5) = ANY (%(month_days)s)
   AND trait.value #>> '{}' ~ '^\d{4}-\d\d-\d\d'
   AND substr(trait.value #>> '{}', 1, 10) < planned.upcoming_date::text
   AND (trait.customer_id, 'trait:' || trait.name) > (%(customer)s::uuid, %(about)s)
   AND NOT EXISTS (SELECT FROM butler_run AS run
                    WHERE run.customer_id = trait.customer_id
                      AND run.automation_id = %(automation)s
                      AND run.occasion = 'trait:' || trait.name || ':' || planned.action_date)
 ORDER BY trait.customer_id, 'trait:' || trait.name
 LIMIT %(limit)s
