-- For how many seconds the oldest row has been due, and for how many the heartbeat of the workers
-- is overdue; null where no row is due, or no heartbeat was ever asked for.
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
