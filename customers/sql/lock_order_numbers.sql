-- Lock these order numbers until the transaction ends, so that transactions with new orders of the
-- same number run one after the other. All numbers share 256 locks, because a large batch must not
-- fill the lock table of the server.
--
-- numbers  text[]

SELECT pg_advisory_xact_lock(1001, bucket)
  FROM (SELECT DISTINCT abs(hashtext(number) %% 256) AS bucket
          FROM unnest(%(numbers)s::text[]) AS number
         ORDER BY 1) AS locked
