"""How long, how many and how much. Each number says what it means to whoever watches."""

import msgspec


class Limits(msgspec.Struct, frozen=True):
    """Lengths of time are seconds, sizes bytes."""

    # Proxies cut connections that stay silent; some after 20 seconds.
    heartbeat: float = 15.0
    # A stream ends by itself after this long at most, so that no right outlives its proof for
    # long; each ends a little earlier by chance, so that they do not all come back at once.
    lifetime: float = 900.0
    # Browsers open six connections to a host; one is left for the page itself.
    streams_per_customer: int = 5
    # Above the aim of 10,000 a process; beyond it new ones are sent elsewhere with 503.
    streams: int = 12_000
    # What is kept in memory for a reader who does not keep up. Nothing more is read for it
    # until this is taken, and it is dropped when it takes nothing for `stall`.
    backlog: int = 64 * 1024
    stall: float = 10.0
    # How often rights are read again and rings that were lost are noticed.
    survey: float = 3.0
    # Without Redis nothing rings, so the log itself is looked at this often.
    survey_without_rings: float = 1.0
    # How old the last look at the rights may be when something is handed to a reader.
    rights_age: float = 5.0
    # The longest a request waits for Postgres before it is told to come back.
    patience: float = 3.0
    # How many rows are read at once for one stream that has to catch up.
    page: int = 100
    # How long open streams get to end by themselves when the process is told to stop.
    farewell: float = 2.0
