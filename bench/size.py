"""How much is measured. QUICK=1 says the same of less, in under three minutes."""

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """Counts, and seconds of one round."""

    customers: int
    events: int
    small_customers: int
    small_events: int
    rounds: int
    seconds: float
    streams: int
    stream_rate: int
    stream_seconds: float
    read_rate: int
    read_seconds: float
    idle_streams: int


FULL = Size(
    customers=1_000_000,
    events=10_000_000,
    small_customers=10_000,
    small_events=100_000,
    rounds=5,
    seconds=5,
    streams=1_000,
    stream_rate=500,
    stream_seconds=20,
    read_rate=500,
    read_seconds=20,
    idle_streams=10_000,
)
QUICK = Size(
    customers=100_000,
    events=1_000_000,
    small_customers=2_000,
    small_events=20_000,
    rounds=3,
    seconds=1.2,
    streams=200,
    stream_rate=100,
    stream_seconds=5,
    read_rate=500,
    read_seconds=4,
    idle_streams=1_000,
)


def chosen() -> Size:
    return QUICK if os.environ.get("QUICK", "") not in {"", "0"} else FULL
