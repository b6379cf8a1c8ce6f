-- Store the live records of identifiers (null: no record), and whether they are shared.
--
-- identifiers  jsonb  [{id, customer_id|null, is_shared, is_placeholder}, ...]

UPDATE customers_identifier AS identifier
   SET customer_id = moved.customer_id, is_shared = moved.is_shared,
       is_placeholder = moved.is_placeholder
  FROM jsonb_to_recordset(%(identifiers)s::jsonb) AS moved (
       id bigint, customer_id uuid, is_shared boolean, is_placeholder boolean)
 WHERE identifier.id = moved.id
