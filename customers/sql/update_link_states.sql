-- Store the new states of links.
--
-- ids, states  bigint[], text[]

UPDATE customers_link AS link
   SET state = decided.state
  FROM unnest(%(ids)s::bigint[], %(states)s::text[]) AS decided (id, state)
 WHERE link.id = decided.id
