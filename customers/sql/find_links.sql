-- Which of these links are known already.
--
-- lefts, rights, trusts, kinds  bigint[], bigint[], smallint[], text[]

SELECT left_id, right_id, trust, kind
  FROM unnest(%(lefts)s::bigint[], %(rights)s::bigint[], %(trusts)s::smallint[],
              %(kinds)s::text[])
       AS wanted (left_id, right_id, trust, kind)
  JOIN customers_link USING (left_id, right_id, trust, kind)
