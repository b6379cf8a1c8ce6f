"""Measures the cost of a call in ways that do not depend on how busy the machine is."""

import sys
import time
from collections.abc import Callable


def count_calls(action: Callable[[], object]) -> int:
    """Return the number of Python and C functions that an action calls in this thread."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    previous_profiler = sys.getprofile()
    sys.setprofile(count)
    try:
        action()
    finally:
        sys.setprofile(previous_profiler)
    return calls


def cost_ratio(action: Callable[[], object], baseline: Callable[[], object]) -> float:
    """Return the processor time of an action divided by that of a baseline.

    The two run in turn, and the cheaper of two runs of each counts. A busy machine slows both, so
    a limit on the ratio holds on every machine. Use it for work in C, which makes no calls that
    `count_calls` could see.
    """
    seconds: dict[Callable[[], object], float] = {}
    for _ in range(2):
        for run in (action, baseline):
            began = time.process_time()
            run()
            seconds_used = time.process_time() - began
            seconds[run] = min(seconds_used, seconds.get(run, seconds_used))
    return seconds[action] / seconds[baseline]
