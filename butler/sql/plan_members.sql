-- Members of parties whose birthday comes up, and whose customer has no run of an automation
-- for that yet. The month and the day count; who was born on 29 February is asked for so.
--
-- automation  text
-- days        jsonb  [{month, of (the day in it), on the date that comes up, day the date on
--                     which to act}, ...]
-- customer, about   where the last batch ended, most  int
-- returns (customer, about, birth date, day, zone as the customer states it, known since)

SELECT member.customer_id, 'member:' || member.reference, wanted."on", wanted.day,
       coalesce((SELECT setting->>'value'
                   FROM customers_control AS control,
                        jsonb_array_elements(control.state->'settings') AS setting
                  WHERE control.customer_id = member.customer_id
                    AND setting->>'name' = 'zone'
                  LIMIT 1),
                (SELECT value #>> '{}' FROM customers_trait
                  WHERE customer_id = member.customer_id AND name = 'timezone'), ''),
       NULL::timestamptz
  FROM jsonb_to_recordset(%(days)s::jsonb) AS wanted (month int, of int, "on" date, day date)
  JOIN customers_partymember AS member
    ON extract(month FROM member.birth_date) = wanted.month
   AND extract(day FROM member.birth_date) = wanted.of
 WHERE member.birth_date < wanted."on"
   AND (member.customer_id, 'member:' || member.reference) > (%(customer)s::uuid, %(about)s)
   AND NOT EXISTS (SELECT FROM butler_run AS run
                    WHERE run.customer_id = member.customer_id
                      AND run.automation_id = %(automation)s
                      AND run.occasion = 'member:' || member.reference || ':' || wanted.day)
 ORDER BY member.customer_id, 'member:' || member.reference
 LIMIT %(most)s
