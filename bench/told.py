"""From an event to a letter, and from a word to silence, through the whole running system."""

import asyncio
import base64
import contextlib
import json
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from bench import messages, stage
from bench.arena import Arena
from bench.chaos.http import Answer, Connections
from bench.chaos.vocabulary import PURPOSE
from bench.figures import Figure, percentile, tidy
from bench.load import Failed
from bench.sink import Sink
from bench.stage import Database

PER_SECOND = 50
# Withdrawals a second, while all of that goes on.
WITHDRAWALS = 10
AIM_MS, WALL_MS = 1000, 200
# Of each before anything counts: threads, connections and plans are new.
WARM = 40
# Seconds until the last letter has to be there.
_PATIENCE = 60.0


def figures(arena: Arena) -> list[Figure]:
    """Tell of fifty events a second, and have people withdraw meanwhile."""
    size = arena.size
    events = max(int(PER_SECOND * size.told_seconds), 1)
    with tempfile.TemporaryDirectory(prefix="butler-told-") as name:
        folder = Path(name)
        with messages.relay(folder / "letters", "bench_told") as (sink, database):
            notice, _ = messages.furnish(database)
            key = stage.make_key(database)
            told = messages.people(database, events + WARM, notice)
            count = events // (PER_SECOND // WITHDRAWALS) or 1
            fickle = messages.people(database, count + WARM, notice)
            stage.settle(database)
            with running(database) as (server, _):
                seen = asyncio.run(
                    _play(server.port, key, sink, told, events, ids(database, fickle))
                )
    latencies, walls = seen
    p95 = tidy(percentile(latencies, 0.95))
    wall = tidy(percentile(walls, 0.99))
    return [
        Figure(
            "event → accepted by the relay, 50 events/s, p50",
            tidy(percentile(latencies, 0.5)),
            "ms",
        ),
        Figure(
            "event → accepted by the relay, 50 events/s, p95",
            p95,
            "ms",
            aim=f"< {AIM_MS}",
            met=p95 < AIM_MS,
        ),
        Figure(
            "withdrawal acknowledged while sending goes on, p99",
            wall,
            "ms",
            aim=f"< {WALL_MS}",
            met=wall < WALL_MS,
        ),
    ]


@contextlib.contextmanager
def running(database: Database) -> Iterator[tuple[stage.Server, stage.Server]]:
    """Run web, worker and beat, as `make run` does; give the first two."""
    with tempfile.TemporaryDirectory(prefix="butler-bench-") as home:
        ours = Database(database.url, {**database.env, "BUTLER_HOME": home})
        with stage.serving("web", ours) as server:
            others = [messages.worker(ours, name) for name in ("worker", "beat")]
            try:
                # What went live counts once every process has heard of it, and both are up.
                time.sleep(6)
                yield server, stage.Server(0, others[0])
            finally:
                for process in others:
                    stage.end(process)


def ids(database: Database, run: str) -> list[UUID]:
    with database.connect() as connection:
        rows = connection.execute(
            "SELECT customer_id FROM customers_identifier WHERE kind = 'user_id' AND value LIKE %s",
            [f"{run}-%"],
        ).fetchall()
    return [UUID(str(id_)) for (id_,) in rows]


async def _play(
    port: int, key: str, sink: Sink, run: str, events: int, fickle: list[UUID]
) -> tuple[list[float], list[float]]:
    """Return milliseconds from event to letter, and from withdrawal to answer."""
    token = base64.b64encode(f"{key}:".encode()).decode()
    headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
    sent: dict[str, float] = {}
    walls: list[float] = []
    async with Connections("localhost", port) as connections:

        async def happen(number: int) -> None:
            name = f"{run}-{number}"
            event = {"userId": name, "event": "Bench Happened", "properties": {"number": name}}
            body = json.dumps({**event, "messageId": name}).encode()
            sent[f"Offer {name}"] = time.monotonic()
            _check(await connections.post("/v1/track", body, headers))

        async def withdraw(customer: UUID) -> None:
            body = json.dumps({"answer": "withdraw", "evidence": {"kind": "click"}}).encode()
            path = f"/api/customers/{customer}/consents/{PURPOSE}/"
            began = time.monotonic()
            _check(await connections.send("PUT", path, body, headers))
            walls.append((time.monotonic() - began) * 1000)

        for number, one in enumerate(fickle[:WARM]):
            await happen(events + number + 1)
            await withdraw(one)
        sent.clear()
        walls.clear()
        due = [(n / PER_SECOND, happen(n + 1)) for n in range(events)]
        due += [
            (n / WITHDRAWALS + random.uniform(0, 0.1), withdraw(one))
            for n, one in enumerate(fickle[WARM:])
        ]
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for at, happening in sorted(due, key=lambda one: one[0]):
                await asyncio.sleep(max(0.0, began + at - time.monotonic()))
                group.create_task(happening)
    return await _letters(sink, sent), walls


def _check(answer: Answer) -> None:
    if answer.status != 200:
        raise Failed(f"answered with {answer.status}: {answer.body[:300]!r}")


async def _letters(sink: Sink, sent: dict[str, float]) -> list[float]:
    """Wait for the letter of every event; return how long each took."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        taken = {one.subject: one.at for one in sink.taken() if one.subject in sent}
        if len(taken) == len(sent):
            return [(at - sent[subject]) * 1000 for subject, at in taken.items()]
        if time.monotonic() > deadline:
            raise Failed(f"of {len(sent)} events, {len(sent) - len(taken)} led to no letter")
        await asyncio.sleep(0.1)
