"""The sizes of the measurements. With QUICK=1 they take about five minutes."""

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """The counts, and the seconds of one round."""

    customers: int
    events: int
    small_customers: int
    small_events: int
    # Enough connections to keep the threads of a server busy. The bare writers use the same number.
    connections: int
    # Requests to warm up a side and to estimate its rate. Each connection of each worker plans a
    # statement again until it has run it eight times.
    first_batches: int
    first_singles: int
    rounds: int
    seconds: float
    streams: int
    stream_rate: int
    stream_seconds: float
    read_rate: int
    read_seconds: float
    idle_streams: int
    # Sent messages of a round, and those of the slower baseline.
    messages: int
    baseline_messages: int
    message_rounds: int
    # Seconds of fifty events a second, each of which leads to a message.
    message_seconds: float
    campaign: int


FULL = Size(
    customers=1_000_000,
    events=10_000_000,
    small_customers=10_000,
    small_events=100_000,
    connections=8,
    first_batches=160,
    first_singles=800,
    rounds=5,
    seconds=5,
    streams=1_000,
    stream_rate=500,
    stream_seconds=20,
    read_rate=500,
    read_seconds=20,
    idle_streams=10_000,
    messages=20_000,
    baseline_messages=2_000,
    message_rounds=3,
    message_seconds=20,
    campaign=100_000,
)
QUICK = Size(
    customers=100_000,
    events=1_000_000,
    small_customers=2_000,
    small_events=20_000,
    connections=8,
    first_batches=160,
    first_singles=480,
    rounds=3,
    seconds=1.2,
    streams=200,
    stream_rate=100,
    stream_seconds=5,
    read_rate=500,
    read_seconds=4,
    idle_streams=1_000,
    messages=3_000,
    baseline_messages=400,
    message_rounds=1,
    message_seconds=8,
    campaign=5_000,
)
# The smallest size, which only checks that all benchmarks run. Its figures are meaningless.
TINY = Size(
    customers=60,
    events=600,
    small_customers=20,
    small_events=200,
    connections=2,
    first_batches=2,
    first_singles=16,
    rounds=1,
    seconds=0.1,
    streams=10,
    stream_rate=20,
    stream_seconds=1,
    read_rate=20,
    read_seconds=1,
    idle_streams=10,
    messages=40,
    baseline_messages=20,
    message_rounds=1,
    message_seconds=1,
    campaign=60,
)


def chosen() -> Size:
    """Return the size that QUICK names: empty or 0, 1, or tiny."""
    return {"": FULL, "0": FULL, "tiny": TINY}.get(os.environ.get("QUICK", ""), QUICK)
