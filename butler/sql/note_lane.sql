-- Remember how a provider did. After so many failures in a row its lane rests, each time twice
-- as long as the last, up to a limit; however many failed at once, that is one time.
--
-- lane  text, is_well  boolean, bad  int  at most patience, patience  int
-- now  timestamptz, first, longest  double precision  seconds

UPDATE butler_lane
   SET failures = CASE WHEN %(is_well)s THEN 0 ELSE failures + %(bad)s END,
       rests_until = CASE
           WHEN %(is_well)s THEN NULL
           WHEN failures + %(bad)s >= %(patience)s
           THEN %(now)s::timestamptz + make_interval(secs => least(
                    %(longest)s, %(first)s * 2 ^ least(10, (failures + %(bad)s) / %(patience)s - 1)))
           ELSE rests_until END
 WHERE channel = %(lane)s
   AND (NOT %(is_well)s OR failures > 0)
