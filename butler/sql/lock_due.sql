-- Lock a due row while its job runs, if the row still has the given claim.
--
-- id     bigint
-- until  timestamptz  the claim's end, as claim_due.sql returned it
-- returns one row, or none if the claim expired and another tick has claimed the row

SELECT id
  FROM butler_due
 WHERE id = %(id)s
   AND claimed_until = %(until)s
   AND done_at IS NULL
   FOR UPDATE
