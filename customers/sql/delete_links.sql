-- Delete links that were just stored, because they connect too many identifiers.
--
-- firsts, seconds, evidences  bigint[], bigint[], smallint[]

DELETE FROM customers_link AS link
 USING unnest(%(firsts)s::bigint[], %(seconds)s::bigint[], %(evidences)s::smallint[])
       AS deleted (first_id, second_id, evidence)
 WHERE (link.first_id, link.second_id, link.evidence)
     = (deleted.first_id, deleted.second_id, deleted.evidence)
   AND link.kind = 'seen'
