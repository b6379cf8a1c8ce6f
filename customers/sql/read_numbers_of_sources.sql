-- Read the ids of the next numbers of some sources, sorted, with the live record of each.
--
-- sources  bigint[]
-- after, batch  bigint, int

SELECT id, customer_id
  FROM customers_identifier
 WHERE id > %(after)s
   AND (kind = 'user_id' OR kind LIKE 'external:%%')
   AND split_part(value, '/', 1) = ANY (%(sources)s::bigint[]::text[])
 ORDER BY id
 LIMIT %(batch)s
