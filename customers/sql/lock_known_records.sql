-- Lock the records of cached identifiers, in the order of their ids, as resolve_identifiers does.
--
-- ids  uuid[]
-- returns the versions in the order of the ids, and `cache_state` as resolve_identifiers does

SELECT version, grouping_version,
       (SELECT hashint8extended((extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint,
                                'customers_customer'::regclass::oid::bigint)
               # COALESCE(bit_xor(hashtextextended(kind || ' ' || value, 0)), 0)
          FROM customers_blockedvalue)
  FROM customers_customer
 WHERE id = ANY (%(ids)s::uuid[])
 ORDER BY id
   FOR NO KEY UPDATE
