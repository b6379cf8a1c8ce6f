-- Take back links that were just written down, because too much hangs on them.
--
-- lefts, rights, evidences  bigint[], bigint[], smallint[]

DELETE FROM customers_link AS link
 USING unnest(%(lefts)s::bigint[], %(rights)s::bigint[], %(evidences)s::smallint[])
       AS gone (left_id, right_id, evidence)
 WHERE (link.left_id, link.right_id, link.evidence) = (gone.left_id, gone.right_id, gone.evidence)
   AND link.kind = 'seen'
