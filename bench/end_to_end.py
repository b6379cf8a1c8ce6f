"""Measures the latency from an event to its email, and of withdrawals, in the whole system."""

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

from bench import messages, servers
from bench.chaos.documents import PURPOSE
from bench.chaos.http import Answer, Connections
from bench.figures import Figure, percentile, tidy
from bench.load import BenchmarkFailed
from bench.servers import Database
from bench.sink import Sink
from bench.testbed import Testbed

PER_SECOND = 50
# Withdrawals a second at the same time.
WITHDRAWALS = 10
MESSAGE_AIM_MS, WITHDRAWAL_AIM_MS = 1000, 200
# Events and withdrawals before the measurement, to warm up threads, connections and plans.
WARM_UP = 40
# Seconds within which the last email has to be received.
_TIMEOUT = 60.0


def figures(testbed: Testbed) -> list[Figure]:
    """Return the latencies with fifty events a second and simultaneous withdrawals."""
    size = testbed.size
    events = max(int(PER_SECOND * size.message_seconds), 1)
    with tempfile.TemporaryDirectory(prefix="butler-end-to-end-") as name:
        folder = Path(name)
        with messages.mail_relay(folder / "emails", "bench_end_to_end") as (sink, database):
            notice, _ = messages.load_offer(database)
            key = servers.create_key(database)
            run = messages.create_customers(database, events + WARM_UP, notice)
            count = events // (PER_SECOND // WITHDRAWALS) or 1
            withdrawing_run = messages.create_customers(database, count + WARM_UP, notice)
            servers.vacuum(database)
            with running_processes(database) as (server, _):
                milliseconds = asyncio.run(
                    _send_and_withdraw(
                        server.port, key, sink, run, events, customer_ids(database, withdrawing_run)
                    )
                )
    message_latencies, withdrawal_latencies = milliseconds
    p95 = tidy(percentile(message_latencies, 0.95))
    p99 = tidy(percentile(withdrawal_latencies, 0.99))
    return [
        Figure(
            "event → accepted by the relay, 50 events/s, p50",
            tidy(percentile(message_latencies, 0.5)),
            "ms",
        ),
        Figure(
            "event → accepted by the relay, 50 events/s, p95",
            p95,
            "ms",
            aim=f"< {MESSAGE_AIM_MS}",
            met=p95 < MESSAGE_AIM_MS,
        ),
        Figure(
            "withdrawal acknowledged while sending goes on, p99",
            p99,
            "ms",
            aim=f"< {WITHDRAWAL_AIM_MS}",
            met=p99 < WITHDRAWAL_AIM_MS,
        ),
    ]


@contextlib.contextmanager
def running_processes(database: Database) -> Iterator[tuple[servers.Server, servers.Server]]:
    """Run web, worker and beat, as `make run` does; yield the first two."""
    with tempfile.TemporaryDirectory(prefix="butler-bench-") as home:
        database = Database(database.url, {**database.env, "BUTLER_HOME": home})
        with servers.running_server("web", database) as server:
            processes = [messages.start_process(database, name) for name in ("worker", "beat")]
            try:
                # All processes need a moment to start and to learn about the live automation.
                time.sleep(6)
                yield server, servers.Server(0, processes[0])
            finally:
                for process in processes:
                    servers.stop_process(process)


def customer_ids(database: Database, run: str) -> list[UUID]:
    """Return the customers of a run, in no particular order."""
    with database.connect() as connection:
        rows = connection.execute(
            "SELECT customer_id FROM customers_identifier WHERE kind = 'user_id' AND value LIKE %s",
            [f"%/{run}-%"],
        ).fetchall()
    return [UUID(str(id_)) for (id_,) in rows]


async def _send_and_withdraw(
    port: int, key: str, sink: Sink, run: str, events: int, withdrawing_customers: list[UUID]
) -> tuple[list[float], list[float]]:
    """Return milliseconds from event to email, and from withdrawal to answer."""
    token = base64.b64encode(f"{key}:".encode()).decode()
    headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
    sent: dict[str, float] = {}
    withdrawal_latencies: list[float] = []
    async with Connections("localhost", port) as connections:

        async def send_event(number: int) -> None:
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
            withdrawal_latencies.append((time.monotonic() - began) * 1000)

        for number, customer_id in enumerate(withdrawing_customers[:WARM_UP]):
            await send_event(events + number + 1)
            await withdraw(customer_id)
        sent.clear()
        withdrawal_latencies.clear()
        tasks = [(index / PER_SECOND, send_event(index + 1)) for index in range(events)]
        tasks += [
            (index / WITHDRAWALS + random.uniform(0, 0.1), withdraw(customer_id))
            for index, customer_id in enumerate(withdrawing_customers[WARM_UP:])
        ]
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for start_after, task in sorted(tasks, key=lambda customer_id: customer_id[0]):
                await asyncio.sleep(max(0.0, began + start_after - time.monotonic()))
                group.create_task(task)
    return await _mail_latencies(sink, sent), withdrawal_latencies


def _check(answer: Answer) -> None:
    if answer.status != 200:
        raise BenchmarkFailed(f"answered with {answer.status}: {answer.body[:300]!r}")


async def _mail_latencies(sink: Sink, sent: dict[str, float]) -> list[float]:
    """Wait for the emails of all events; return the milliseconds of each."""
    deadline = time.monotonic() + _TIMEOUT
    while True:
        received_at = {
            mail.subject: mail.received_at for mail in sink.received() if mail.subject in sent
        }
        if len(received_at) == len(sent):
            return [(received - sent[subject]) * 1000 for subject, received in received_at.items()]
        if time.monotonic() > deadline:
            raise BenchmarkFailed(
                f"of {len(sent)} events, {len(sent) - len(received_at)} led to no email"
            )
        await asyncio.sleep(0.1)
