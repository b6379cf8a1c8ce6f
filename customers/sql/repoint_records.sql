-- Store the canonical records of records, and increase the grouping version of all affected
-- records. A transaction that has waited for the lock of one of them then reads again. Records that
-- were merged into the moved ones move, too, so that a canonical record is never itself merged.
--
-- records   jsonb   [{id, canonical_id|null}, ...]
-- affected  uuid[]  records that lost or got identifiers

UPDATE customers_customer AS customer
   SET canonical_id = CASE WHEN moved.id IS NULL THEN customer.canonical_id
                           ELSE moved.canonical_id END,
       grouping_version = customer.grouping_version + 1
  FROM unnest(%(affected)s::uuid[]) AS affected (id)
  LEFT JOIN jsonb_to_recordset(%(records)s::jsonb) AS moved (id uuid, canonical_id uuid)
         ON moved.id = affected.id
 WHERE customer.id = affected.id
