-- The age of the oldest due row, and the time by which the heartbeat of the workers is overdue,
-- both in seconds. Null if no row is due, or if no heartbeat was ever requested.
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
