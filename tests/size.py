"""How much a test tries: a little in `make test`, much more in `make test-long`."""

import os

import pytest
from hypothesis import HealthCheck, settings

IS_LONG = os.environ.get("BUTLER_LONG_TESTS") == "1"


def examples[N](short: N, *, long: N) -> N:
    """Return the examples of this run, or the number of them or of seconds."""
    return long if IS_LONG else short


def tries(short: int, *, long: int) -> settings:
    """Return Hypothesis settings: the same examples in each `make test`, random ones when long."""
    return settings(
        max_examples=examples(short, long=long),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=not IS_LONG,
        database=None,
    )


def only_long[T](test: T) -> T:
    """Mark a test of minutes that `make test` leaves to `make test-long`."""
    skip = pytest.mark.skipif(not IS_LONG, reason="takes minutes: make test-long")
    marked: T = pytest.mark.long(skip(test))
    return marked
