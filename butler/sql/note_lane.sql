-- Remember how a provider did. After so many failures in a row its lane rests.
--
-- channel  text, is_well  boolean, bad  int, patience  int, rests_until  timestamptz

UPDATE butler_lane
   SET failures = CASE WHEN %(is_well)s THEN 0 ELSE failures + %(bad)s END,
       rests_until = CASE
           WHEN %(is_well)s THEN NULL
           WHEN failures + %(bad)s >= %(patience)s THEN %(rests_until)s
           ELSE rests_until END
 WHERE channel = %(channel)s
   AND (NOT %(is_well)s OR failures > 0)
