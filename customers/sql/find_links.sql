-- Find those of these links that are already stored. A link "placed" between an order and an
-- identifier also counts as the link "seen" between them.
--
-- firsts, seconds, evidences, kinds  bigint[], bigint[], smallint[], text[]

SELECT first_id, second_id, evidence, searched.kind
  FROM unnest(%(firsts)s::bigint[], %(seconds)s::bigint[], %(evidences)s::smallint[],
              %(kinds)s::text[])
       AS searched (first_id, second_id, evidence, kind)
  JOIN customers_link AS link USING (first_id, second_id, evidence)
 WHERE link.kind IN (searched.kind, 'placed')
