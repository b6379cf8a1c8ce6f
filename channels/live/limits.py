"""The limits of live streams."""

import msgspec


class StreamLimits(msgspec.Struct, frozen=True):
    """Lengths of time are seconds, sizes bytes."""

    # Proxies cut connections that stay silent; some after 20 seconds.
    heartbeat_interval: float = 15.0
    # A stream ends by itself after this long at most, so that no right outlives its proof for
    # long; each ends a little earlier by chance, so that they do not all come back at once.
    max_lifetime: float = 900.0
    # Browsers open six connections to a host; one is left for the page itself.
    max_streams_per_customer: int = 5
    # Above the aim of 10,000 a process; beyond it new ones are sent elsewhere with 503.
    max_streams: int = 12_000
    # What is kept in memory for a reader who does not keep up. Nothing more is read for it
    # until this is taken, and it is dropped when it takes nothing for `stall_timeout`.
    max_backlog: int = 64 * 1024
    stall_timeout: float = 10.0
    # How often rights are read again, and missed notifications are found.
    check_interval: float = 3.0
    # Without Redis there are no notifications, so versions are read this often.
    check_interval_without_redis: float = 1.0
    # How old the last check of the rights may be when events are sent to a reader.
    max_access_age: float = 5.0
    # The longest a request waits for Postgres before it is told to come back.
    database_timeout: float = 3.0
    # How many rows are read at once for one stream that has to catch up.
    page_size: int = 100
    # How long open streams get to end by themselves when the process is told to stop.
    shutdown_grace: float = 2.0
