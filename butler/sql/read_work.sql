-- How the butler's work stands: for how long the oldest row has been due, and for how long the
-- workers have owed a sign of life. In seconds; null where nothing is due, or nobody asked.
--
-- now  timestamptz

SELECT extract(epoch FROM %(now)s::timestamptz - (
           SELECT due_at
             FROM butler_due
            WHERE done_at IS NULL
              AND due_at <= %(now)s
            ORDER BY due_at
            LIMIT 1))::float8,
       (SELECT CASE WHEN answered_at >= asked_at THEN 0
                    ELSE extract(epoch FROM %(now)s::timestamptz - asked_at)::float8 END
          FROM butler_heartbeat
         WHERE name = 'worker')
