"""Waits for another thread or process, without a limit that a busy machine could reach."""

import time
from collections.abc import Callable


def wait_until[T](condition: Callable[[], T], *, seconds: float = 60) -> T:
    """Return the first true outcome of a condition. Raises AssertionError after the seconds."""
    deadline = time.monotonic() + seconds
    while not (outcome := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} seconds in vain"
        time.sleep(0.02)
    return outcome
