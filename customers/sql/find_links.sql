-- Which of these links are known already. Where an order was placed with an identifier, it need
-- not be seen with it.
--
-- lefts, rights, evidences, kinds  bigint[], bigint[], smallint[], text[]

SELECT first_id, second_id, evidence, wanted.kind
  FROM unnest(%(lefts)s::bigint[], %(rights)s::bigint[], %(evidences)s::smallint[],
              %(kinds)s::text[])
       AS wanted (first_id, second_id, evidence, kind)
  JOIN customers_link AS link USING (first_id, second_id, evidence)
 WHERE link.kind IN (wanted.kind, 'placed')
