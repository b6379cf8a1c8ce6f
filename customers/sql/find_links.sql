-- Which of these links are known already. Where an order was placed with an identifier, it need
-- not be seen with it.
--
-- firsts, seconds, evidences, kinds  bigint[], bigint[], smallint[], text[]

SELECT first_id, second_id, evidence, searched.kind
  FROM unnest(%(firsts)s::bigint[], %(seconds)s::bigint[], %(evidences)s::smallint[],
              %(kinds)s::text[])
       AS searched (first_id, second_id, evidence, kind)
  JOIN customers_link AS link USING (first_id, second_id, evidence)
 WHERE link.kind IN (searched.kind, 'placed')
