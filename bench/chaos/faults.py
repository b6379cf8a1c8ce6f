"""What is done to the system while it is loaded, and when it is well again."""

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

# Seconds that whoever claimed messages to mail may hand them over, and its last call may take.
LEASE = 12.5
# Those whom somebody will wake.
_SLEEPING: list[threading.Timer] = []
# Seconds that a fault may take to heal before that counts as a failure of its own.
LONGEST = 60.0
# Seconds without anything going wrong after which a fault counts as over.
QUIET = 2.0


class Fault(NamedTuple):
    """Something that goes wrong: what is done, and how it shows that it is over."""

    name: str
    strike: Callable[[System], None]
    is_over: Callable[[System], bool] = lambda _: True


class Recovery(NamedTuple):
    fault: str
    # From the blow to the last thing that went wrong; infinite when it did not end.
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


def _kill_worker_of_tasks(system: System) -> None:
    os.kill(system.worker(), signal.SIGKILL)


def _kill_beat(system: System) -> None:
    os.kill(system.beat(), signal.SIGKILL)


def _stop_child(system: System) -> None:
    """Let one sleep with whatever it has in hand, until long after its lease is over."""
    stopped = random.choice(system.worker_children())
    os.kill(stopped, signal.SIGSTOP)
    timer = threading.Timer(2 * LEASE, _wake, [stopped])
    _SLEEPING.append(timer)
    timer.start()


def _wake(stopped: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(stopped, signal.SIGCONT)


def until_awake() -> None:
    """Wait until everybody who was stopped goes on."""
    while _SLEEPING:
        _SLEEPING.pop().join()


def _is_working(system: System) -> bool:
    return system.has_worker()


def _ticks(system: System) -> bool:
    return bool(system.pids("celery", " beat "))


def _turn(order: str) -> Callable[[System], None]:
    """Make whoever carries mail and SMS fail in this way for so many messages each."""

    def strike(system: System) -> None:
        system.sink.turn(order)
        system.carrier.turn(order)

    return strike


def _is_ringing(system: System) -> bool:
    return system.metric("butler_live_hears_rings") == 1


FAULTS = (
    Fault("SIGSTOP of a task's process", _stop_child),
    Fault("kill -9 of a task's process", _kill_child, _is_working),
    Fault("carriers that drop the line", _turn("drop 6")),
    Fault("kill -9 of a web worker", _kill_worker),
    Fault("kill -9 of the web master", _kill_master),
    Fault("kill -9 of the worker", _kill_worker_of_tasks, _is_working),
    Fault("carriers that are slow", _turn("slow 20")),
    Fault("kill -9 of the live process", _kill_live, _is_ringing),
    Fault("kill -9 of Postgres", _kill_postgres),
    Fault("kill -9 of beat", _kill_beat, _ticks),
    Fault("carriers that refuse", _turn("refuse 6")),
    Fault("kill -9 of Valkey", _kill_valkey, _is_ringing),
    Fault("carriers that cut the line", _turn("cut 3")),
    Fault("FLUSHALL", _flush, _is_ringing),
)


async def inflict(
    system: System, load: Load, *, rounds: int, say: Callable[[str], Awaitable[None] | None]
) -> list[Recovery]:
    """Do everything to the system, evenly over the load, and see it get well each time."""
    recoveries = []
    blows = [fault for _ in range(rounds) for fault in FAULTS]
    for number, fault in enumerate(blows, start=1):
        await _until_sent(load, load.pace.events * number / (len(blows) + 1))
        struck_at = time.monotonic()
        await asyncio.to_thread(fault.strike, system)
        seconds = await _seconds_until_over(fault, system, load, struck_at)
        recoveries.append(Recovery(fault.name, seconds))
        say(f"  {fault.name:<28} well again after {seconds:5.2f} s")
    return recoveries


async def _until_sent(load: Load, events: float) -> None:
    while load.sent < events:  # noqa: ASYNC110 - counting needs no event of its own
        await asyncio.sleep(0.02)


async def _seconds_until_over(fault: Fault, system: System, load: Load, struck_at: float) -> float:
    """Wait for a quiet spell, and return how long before it the trouble ended."""
    healed_at: float | None = None
    while (now := time.monotonic()) - struck_at < LONGEST:
        if healed_at is None and await asyncio.to_thread(fault.is_over, system):
            healed_at = time.monotonic()
        last_trouble = max(struck_at, load.seen.failed_at, healed_at or now)
        if now - last_trouble > QUIET and load.seen.acknowledged_from > last_trouble:
            return last_trouble - struck_at
        await asyncio.sleep(0.02)
    return float("inf")
