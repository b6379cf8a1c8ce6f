-- Let those who bring new orders with one number go one after the other, until they commit.
-- Numbers share 256 locks: a large batch must not fill the lock table of the server.
--
-- numbers  text[]

SELECT pg_advisory_xact_lock(1001, bucket)
  FROM (SELECT DISTINCT abs(hashtext(number) %% 256) AS bucket
          FROM unnest(%(numbers)s::text[]) AS number
         ORDER BY 1) AS locked
