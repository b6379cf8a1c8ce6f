"""Injects faults into the system under load, and measures its recovery."""

import asyncio
import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import redis

from bench.chaos.load import Load
from bench.chaos.system import System

# Seconds of the lease of a sender of email, with its last call.
LEASE = 12.5
# Timers that resume stopped processes.
_RESUME_TIMERS: list[threading.Timer] = []
# Seconds after which a fault without recovery counts as a finding.
MAX_RECOVERY = 60.0
# Seconds without a failure after which the system counts as recovered.
QUIET_SECONDS = 2.0


class Fault(NamedTuple):
    """A fault: the function that injects it, and the check that the system has recovered."""

    name: str
    inject: Callable[[System], None]
    is_recovered: Callable[[System], bool] = lambda _: True


class Recovery(NamedTuple):
    fault: str
    # From the injection to the last failure; infinite if the system did not recover.
    seconds: float


def _kill_worker(system: System) -> None:
    os.kill(random.choice(system.web_workers()), signal.SIGKILL)


def _kill_master(system: System) -> None:
    os.kill(system.web_master(), signal.SIGKILL)


def _kill_live(system: System) -> None:
    os.kill(system.live_worker(), signal.SIGKILL)


def _kill_postgres(system: System) -> None:
    os.kill(system.postgres(), signal.SIGKILL)


def _kill_valkey(system: System) -> None:
    os.kill(system.valkey(), signal.SIGKILL)


def _flush(system: System) -> None:
    with redis.Redis.from_url(system.services["REDIS_URL"]) as client:
        client.flushall()


def _kill_child(system: System) -> None:
    os.kill(random.choice(system.worker_children()), signal.SIGKILL)


def _kill_celery_worker(system: System) -> None:
    os.kill(system.worker(), signal.SIGKILL)


def _kill_beat(system: System) -> None:
    os.kill(system.beat(), signal.SIGKILL)


def _stop_child(system: System) -> None:
    """Stop one process with its claimed messages until long after the end of its lease."""
    stopped = random.choice(system.worker_children())
    os.kill(stopped, signal.SIGSTOP)
    timer = threading.Timer(2 * LEASE, _resume, [stopped])
    _RESUME_TIMERS.append(timer)
    timer.start()


def _resume(stopped: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(stopped, signal.SIGCONT)


def wait_until_resumed() -> None:
    """Wait until every stopped process was resumed."""
    while _RESUME_TIMERS:
        _RESUME_TIMERS.pop().join()


def _has_worker(system: System) -> bool:
    return system.has_worker()


def _has_beat(system: System) -> bool:
    return bool(system.pids("celery", " beat "))


def _set_carrier_mode(command: str) -> Callable[[System], None]:
    """Return a fault that sets the mode of the relay and of the SMS carrier."""

    def inject(system: System) -> None:
        system.sink.set_mode(command)
        system.carrier.set_mode(command)

    return inject


def _is_notified(system: System) -> bool:
    return system.metric("butler_live_subscribed") == 1


FAULTS = (
    Fault("SIGSTOP of a task's process", _stop_child),
    Fault("kill -9 of a task's process", _kill_child, _has_worker),
    Fault("carriers that drop the line", _set_carrier_mode("drop 6")),
    Fault("kill -9 of a web worker", _kill_worker),
    Fault("kill -9 of the web master", _kill_master),
    Fault("kill -9 of the worker", _kill_celery_worker, _has_worker),
    Fault("carriers that are slow", _set_carrier_mode("slow 20")),
    Fault("kill -9 of the live process", _kill_live, _is_notified),
    Fault("kill -9 of Postgres", _kill_postgres),
    Fault("kill -9 of beat", _kill_beat, _has_beat),
    Fault("carriers that refuse", _set_carrier_mode("refuse 6")),
    Fault("kill -9 of Valkey", _kill_valkey, _is_notified),
    Fault("carriers that cut the line", _set_carrier_mode("cut 3")),
    Fault("FLUSHALL", _flush, _is_notified),
)


async def inject_faults(
    system: System, load: Load, *, rounds: int, print_line: Callable[[str], Awaitable[None] | None]
) -> list[Recovery]:
    """Inject all faults, evenly over the load, and measure each recovery."""
    recoveries = []
    injections = [fault for _ in range(rounds) for fault in FAULTS]
    for number, fault in enumerate(injections, start=1):
        await _wait_until_sent(load, load.pace.events * number / (len(injections) + 1))
        injected_at = time.monotonic()
        await asyncio.to_thread(fault.inject, system)
        seconds = await _seconds_until_recovered(fault, system, load, injected_at)
        recoveries.append(Recovery(fault.name, seconds))
        print_line(f"  {fault.name:<28} recovered after {seconds:5.2f} s")
    return recoveries


async def _wait_until_sent(load: Load, events: float) -> None:
    while load.sent < events:  # noqa: ASYNC110 - counting needs no event of its own
        await asyncio.sleep(0.02)


async def _seconds_until_recovered(
    fault: Fault, system: System, load: Load, injected_at: float
) -> float:
    """Wait for QUIET_SECONDS without a failure; return the seconds to the last failure."""
    recovered_at: float | None = None
    while (now := time.monotonic()) - injected_at < MAX_RECOVERY:
        if recovered_at is None and await asyncio.to_thread(fault.is_recovered, system):
            recovered_at = time.monotonic()
        last_failure = max(injected_at, load.stats.failed_at, recovered_at or now)
        if now - last_failure > QUIET_SECONDS and load.stats.acknowledged_from > last_failure:
            return last_failure - injected_at
        await asyncio.sleep(0.02)
    return float("inf")
