-- How many messages may leave through a lane now, and whether it rests: no more than its rate
-- allows, none while it rests, and no more batches in hand at once than its channel is given.
--
-- lane, channel  text, most  int  of this batch, batches  int  at once, now  timestamptz

WITH made AS (
    INSERT INTO butler_lane (channel) VALUES (%(lane)s) ON CONFLICT DO NOTHING
), counted AS MATERIALIZED (
    -- Only what is counted is held: whoever holds a row writes, and waits for the disk.
    SELECT channel, rate, rests_until,
           -- A bucket holds what one second gives; a clock that went back gives nothing.
           least(greatest(rate, 1),
                 tokens + rate * greatest(0, extract(epoch FROM %(now)s - coalesce(filled_at,
                     %(now)s::timestamptz - interval '1 second')))) AS tokens
      FROM butler_lane
     WHERE channel = %(lane)s
       AND rate IS NOT NULL
       FOR UPDATE
), lane AS MATERIALIZED (
    SELECT channel, rate, rests_until, tokens FROM counted
     UNION ALL
    SELECT channel, rate, rests_until, tokens
      FROM butler_lane
     WHERE channel = %(lane)s
       AND rate IS NULL
), room AS MATERIALIZED (
    -- What was claimed at one moment is one batch.
    SELECT CASE WHEN count(DISTINCT claimed_at) >= %(batches)s THEN 0 ELSE %(most)s END AS n
      FROM butler_delivery
     WHERE outcome = ''
       AND channel = %(channel)s
       AND lease_until > clock_timestamp()
), allowed AS MATERIALIZED (
    SELECT CASE
               WHEN lane.rests_until > %(now)s THEN 0
               WHEN lane.rate IS NULL THEN room.n
               ELSE least(room.n, floor(lane.tokens)::int) END AS n
      FROM lane, room
), spent AS (
    UPDATE butler_lane
       SET tokens = lane.tokens - allowed.n, filled_at = %(now)s
      FROM lane, allowed
     WHERE butler_lane.channel = lane.channel
       AND lane.rate IS NOT NULL
)
-- A lane that was only just made has nothing against it yet.
SELECT coalesce((SELECT n FROM allowed), (SELECT n FROM room)),
       coalesce((SELECT rests_until > %(now)s FROM lane), false)
