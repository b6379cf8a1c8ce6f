-- Party members with an upcoming birthday for which the customer has no run of the automation yet.
-- The query compares month and day. In common years the caller also passes 29 February.
--
-- automation  text
-- days        jsonb  [{month, day_of_month, upcoming_date, action_date (of the run)}, ...]
-- customer, about   where the last batch ended, limit  int
-- returns (customer, about, upcoming_date, action_date, zone that the customer stated, null)

SELECT member.customer_id, 'member:' || member.reference, planned.upcoming_date, planned.action_date,
       coalesce((SELECT setting->>'value'
                   FROM customers_consentstate AS consent_state,
                        jsonb_array_elements(consent_state.state->'settings') AS setting
                  WHERE consent_state.customer_id = member.customer_id
                    AND setting->>'name' = 'zone'
                  LIMIT 1),
                (SELECT value #>> '{}' FROM customers_trait
                  WHERE customer_id = member.customer_id AND name = 'timezone'), ''),
       NULL::timestamptz
  FROM jsonb_to_recordset(%(days)s::jsonb) AS planned (month int, day_of_month int, upcoming_date date, action_date date)
  JOIN customers_partymember AS member
    ON extract(month FROM member.birth_date) = planned.month
   AND extract(day FROM member.birth_date) = planned.day_of_month
 WHERE member.birth_date < planned.upcoming_date
   AND (member.customer_id, 'member:' || member.reference) > (%(customer)s::uuid, %(about)s)
   AND NOT EXISTS (SELECT FROM butler_run AS run
                    WHERE run.customer_id = member.customer_id
                      AND run.automation_id = %(automation)s
                      AND run.occasion = 'member:' || member.reference || ':' || planned.action_date)
 ORDER BY member.customer_id, 'member:' || member.reference
 LIMIT %(limit)s
