-- Let records point to their live record, and raise the grouping version of all concerned, so
-- that a transaction which waited for a lock on one of them reads again. Members of members
-- follow: pointers are one step long.
--
-- records    jsonb   [{id, canonical_id|null}, ...]
-- concerned  uuid[]  records that identifiers left or came to

UPDATE customers_customer AS customer
   SET canonical_id = CASE WHEN moved.id IS NULL THEN customer.canonical_id
                           ELSE moved.canonical_id END,
       grouping_version = customer.grouping_version + 1
  FROM unnest(%(concerned)s::uuid[]) AS concerned (id)
  LEFT JOIN jsonb_to_recordset(%(records)s::jsonb) AS moved (id uuid, canonical_id uuid)
         ON moved.id = concerned.id
 WHERE customer.id = concerned.id
