-- Count the failures of a provider. After failure_limit failures in a row its cooldown begins. Each
-- cooldown is twice as long as the one before, up to `longest`. A batch starts at most one.
--
-- key  text, has_succeeded  boolean, failures  int  at most failure_limit, failure_limit  int
-- now  timestamptz, first, longest  double precision  seconds

UPDATE butler_providerlimit
   SET failures = CASE WHEN %(has_succeeded)s THEN 0 ELSE failures + %(failures)s END,
       cooldown_until = CASE
           WHEN %(has_succeeded)s THEN NULL
           WHEN failures + %(failures)s >= %(failure_limit)s
           THEN %(now)s::timestamptz + make_interval(secs => least(
                    %(longest)s,
                    %(first)s * 2 ^ least(10, (failures + %(failures)s) / %(failure_limit)s - 1)))
           ELSE cooldown_until END
 WHERE channel = %(key)s
   AND (NOT %(has_succeeded)s OR failures > 0)
