-- Take back links that were just written down, because too much hangs on them.
--
-- lefts, rights, trusts  bigint[], bigint[], smallint[]

DELETE FROM customers_link AS link
 USING unnest(%(lefts)s::bigint[], %(rights)s::bigint[], %(trusts)s::smallint[])
       AS gone (left_id, right_id, trust)
 WHERE (link.left_id, link.right_id, link.trust) = (gone.left_id, gone.right_id, gone.trust)
   AND link.kind = 'seen'
