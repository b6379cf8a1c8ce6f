-- Take back links that were just written down, because too much hangs on them.
--
-- lefts, rights, evidences  bigint[], bigint[], smallint[]

DELETE FROM customers_link AS link
 USING unnest(%(lefts)s::bigint[], %(rights)s::bigint[], %(evidences)s::smallint[])
       AS gone (first_id, second_id, evidence)
 WHERE (link.first_id, link.second_id, link.evidence) = (gone.first_id, gone.second_id, gone.evidence)
   AND link.kind = 'seen'
