-- Which of these links are known already.
--
-- lefts, rights, trusts  bigint[], bigint[], smallint[]

SELECT left_id, right_id, trust
  FROM unnest(%(lefts)s::bigint[], %(rights)s::bigint[], %(trusts)s::smallint[])
       AS wanted (left_id, right_id, trust)
  JOIN customers_link USING (left_id, right_id, trust)
 WHERE kind = 'seen'
