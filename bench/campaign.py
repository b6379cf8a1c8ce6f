"""A campaign: everybody who consented is told the same, through every gate."""

import tempfile
import time
from pathlib import Path

from bench import messages, stage, told
from bench.arena import Arena
from bench.figures import Figure, tidy
from bench.load import Failed
from bench.sink import Sink
from bench.stage import Server

# How much a worker may grow from a fifth of the campaign to its end, in MB.
FLAT = 20.0


def figures(arena: Arena) -> list[Figure]:
    """Measure customers a second from the start to the last letter, and what the workers take."""
    count = arena.size.campaign
    with (
        tempfile.TemporaryDirectory(prefix="butler-campaign-") as name,
        messages.relay(Path(name) / "letters", "bench_told") as (sink, database),
    ):
        notice, version = messages.furnish(database)
        run = messages.people(database, count, notice)
        stage.settle(database)
        with told.running(database) as (_, worker):
            said = messages.inside(database, "-m", "bench.messages", "campaign", run, str(version))
            early = _until(sink, run, count // 5, worker)
            late = _until(sink, run, count, worker)
        ended = max(one.at for one in sink.taken())
    grown = tidy(late - early)
    return [
        Figure(
            f"campaign to {count:,} customers, every gate, to the last letter",
            tidy(count / (ended - said["began"])),
            "customers/s",
        ),
        Figure(
            "campaign: growth of the largest worker after a fifth of it",
            grown,
            "MB",
            aim=f"< {FLAT:.0f}",
            met=grown < FLAT,
        ),
    ]


def _until(sink: Sink, run: str, count: int, worker: Server) -> float:
    """Wait for so many letters; return the memory of the largest worker then, in MB."""
    deadline = time.monotonic() + 60 + count / 20
    while (taken := _letters(sink, run)) < count:
        if time.monotonic() > deadline:
            raise Failed(f"{taken} of {count} letters of the campaign left")
        time.sleep(0.5)
    return max(stage.resident(worker.workers()))


def _letters(sink: Sink, run: str) -> int:
    return len({one.message_id for one in sink.taken() if one.recipient.startswith(f"{run}-")})
