-- Customers one of whose traits is a date that returns soon, such as their own birthday, and
-- who have no run of an automation for that yet.
--
-- automation, name  text
-- days        jsonb  [{of_year, on the date that comes up, day the date on which to act}, ...]
-- of_year     text[]  those days of the year, such as '04-18'
-- customer, about   where the last batch ended, most  int
-- returns (customer, about, date that comes up, day, zone as the customer states it, known since)

SELECT said.customer_id, 'trait:' || said.name, wanted."on", wanted.day,
       coalesce((SELECT setting->>'value'
                   FROM customers_control AS control,
                        jsonb_array_elements(control.state->'settings') AS setting
                  WHERE control.customer_id = said.customer_id
                    AND setting->>'name' = 'zone'
                  LIMIT 1),
                (SELECT value #>> '{}' FROM customers_trait
                  WHERE customer_id = said.customer_id AND name = 'timezone'), ''),
       NULL::timestamptz
  FROM jsonb_to_recordset(%(days)s::jsonb) AS wanted (of_year text, "on" date, day date)
  JOIN customers_trait AS said
    ON substr(said.value #>> '{}', 6, 5) = wanted.of_year
 WHERE said.name = %(name)s
   AND said.evidence = 2
   -- As the index has it: what is no date is not in there. The days as a list, or Postgres
   -- would read every birthday that there is.
   AND substr(said.value #>> '{}', 6, 5) = ANY (%(of_year)s)
   AND said.value #>> '{}' ~ '^\d{4}-\d\d-\d\d'
   AND substr(said.value #>> '{}', 1, 10) < wanted."on"::text
   AND (said.customer_id, 'trait:' || said.name) > (%(customer)s::uuid, %(about)s)
   AND NOT EXISTS (SELECT FROM butler_run AS run
                    WHERE run.customer_id = said.customer_id
                      AND run.automation_id = %(automation)s
                      AND run.occasion = 'trait:' || said.name || ':' || wanted.day)
 ORDER BY said.customer_id, 'trait:' || said.name
 LIMIT %(most)s
