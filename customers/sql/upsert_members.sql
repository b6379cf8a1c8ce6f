-- Store the current states of party members.
--
-- rows  jsonb  the fields of customers.projections.parties.MemberState, and customer_id

INSERT INTO customers_partymember
       (customer_id, reference, name, role, birth_date, guardian, details, version)
SELECT customer_id, reference, name, role, birth_date, guardian, details, version
  FROM jsonb_populate_recordset(NULL::customers_partymember, %(rows)s::jsonb)
    ON CONFLICT (customer_id, reference) DO UPDATE
   SET name = EXCLUDED.name, role = EXCLUDED.role, birth_date = EXCLUDED.birth_date,
       guardian = EXCLUDED.guardian, details = EXCLUDED.details, version = EXCLUDED.version
