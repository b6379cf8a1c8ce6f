-- Lock a due row for as long as its duty is done, if the claim on it still is the given one.
--
-- id     bigint
-- until  timestamptz  the claim's end, as claim_due.sql returned it
-- returns one row, or none: the claim lapsed and somebody else has it

SELECT id
  FROM butler_due
 WHERE id = %(id)s
   AND claimed_until = %(until)s
   AND done_at IS NULL
   FOR UPDATE
