"""The limits of live streams."""

import msgspec


class StreamLimits(msgspec.Struct, frozen=True):
    """The limits of the streams of one process. Durations are in seconds, sizes in bytes."""

    # Proxies close idle connections, some of them after 20 seconds.
    heartbeat_interval: float = 15.0
    # The longest life of a stream, so that its reader must authenticate again. Each stream ends at
    # a random time shortly before, so that not all readers reconnect at the same time.
    max_lifetime: float = 900.0
    # Browsers open six connections to a host, and the page itself needs one.
    max_streams_per_customer: int = 5
    # The goal is 10,000 streams a process. Beyond this limit, new streams get 503.
    max_streams: int = 12_000
    # The memory for a slow reader. The process reads no more events for it until it has taken
    # these, and closes the stream if the reader takes no data for `stall_timeout`.
    max_backlog: int = 64 * 1024
    stall_timeout: float = 10.0
    # The interval of the checks for changed rights and missed notifications.
    check_interval: float = 3.0
    # The interval of the same checks without Redis, because there are no notifications.
    check_interval_without_redis: float = 1.0
    # The largest age of the last check of rights when events are sent to a reader.
    max_access_age: float = 5.0
    # The longest wait of a request for Postgres, before it gets 503.
    database_timeout: float = 3.0
    # The number of events that one statement reads for a stream.
    page_size: int = 100
    # The time for open streams to end when the process stops.
    shutdown_grace: float = 2.0
