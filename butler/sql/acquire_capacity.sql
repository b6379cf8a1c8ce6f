-- Reserve capacity of a provider: the number of messages that may be claimed now, and whether the
-- provider is in its cooldown. The number obeys the rate and is 0 in the cooldown. It is also 0 if
-- the channel has its largest number of batches in flight.
--
-- key, channel  text, limit  int  messages of this batch, batches  int  parallel batches
-- now  timestamptz

WITH inserted AS (
    INSERT INTO butler_providerlimit (channel) VALUES (%(key)s) ON CONFLICT DO NOTHING
), limited AS MATERIALIZED (
    -- Only a row with a rate is locked, because a lock writes to the disk.
    SELECT channel, rate, cooldown_until,
           -- A bucket holds the tokens of one second. A clock that goes back adds no tokens.
           least(greatest(rate, 1),
                 tokens + rate * greatest(0, extract(epoch FROM %(now)s - coalesce(filled_at,
                     %(now)s::timestamptz - interval '1 second')))) AS tokens
      FROM butler_providerlimit
     WHERE channel = %(key)s
       AND rate IS NOT NULL
       FOR UPDATE
), provider AS MATERIALIZED (
    SELECT channel, rate, cooldown_until, tokens FROM limited
     UNION ALL
    SELECT channel, rate, cooldown_until, tokens
      FROM butler_providerlimit
     WHERE channel = %(key)s
       AND rate IS NULL
), in_flight AS MATERIALIZED (
    -- Messages with the same claim time are one batch.
    SELECT CASE WHEN count(DISTINCT claimed_at) >= %(batches)s THEN 0 ELSE %(limit)s
           END AS capacity
      FROM butler_delivery
     WHERE outcome = ''
       AND channel = %(channel)s
       AND lease_until > clock_timestamp()
), allowed AS MATERIALIZED (
    SELECT CASE
               WHEN provider.cooldown_until > %(now)s THEN 0
               WHEN provider.rate IS NULL THEN in_flight.capacity
               ELSE least(in_flight.capacity, floor(provider.tokens)::int) END AS capacity
      FROM provider, in_flight
), spent AS (
    UPDATE butler_providerlimit
       SET tokens = provider.tokens - allowed.capacity, filled_at = %(now)s
      FROM provider, allowed
     WHERE butler_providerlimit.channel = provider.channel
       AND provider.rate IS NOT NULL
)
-- A row that was inserted above is not visible here; it has no rate and no cooldown.
SELECT coalesce((SELECT capacity FROM allowed), (SELECT capacity FROM in_flight)),
       coalesce((SELECT cooldown_until > %(now)s FROM provider), false)
