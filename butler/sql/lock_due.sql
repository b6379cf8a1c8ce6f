-- Lock a due row while its job runs, if the claim on it still is the given one.
--
-- id     bigint
-- until  timestamptz  the claim's end, as claim_due.sql returned it
-- returns one row, or none: the claim lapsed and another tick has it

SELECT id
  FROM butler_due
 WHERE id = %(id)s
   AND claimed_until = %(until)s
   AND done_at IS NULL
   FOR UPDATE
