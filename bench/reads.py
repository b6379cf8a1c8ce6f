"""One record by its id, from a database full of others."""

import asyncio
from collections.abc import Sequence
from random import Random
from uuid import UUID

from bench import load, stage
from bench.arena import BASELINE_KEY, Arena, Butler
from bench.figures import Figure, middle, percentile, tidy
from bench.load import Answer

# So many records are soon all looked at.
_FEW = 1_000


def figures(arena: Arena) -> list[Figure]:
    """Measure latency at a steady rate, then what can be had at most."""
    size, large = arena.size, arena.large
    with stage.serving("web", _plain(arena), target="bench.plain.wsgi:application") as plain:
        customers = [guest.customer_id for guest in large.context.guests]
        key, afternoon = large.context.key, arena.baseline_customers
        random = Random("reads")

        def butler(count: int) -> list[bytes]:
            return requests(random.choices(customers, k=count), key)

        def again(count: int) -> list[bytes]:
            return requests(random.choices(customers[:_FEW], k=count), key)

        def baseline(count: int) -> list[bytes]:
            path = "/customers/{}/"
            return requests(random.choices(afternoon, k=count), BASELINE_KEY, path)

        sides = {
            "butler": (large.web.port, butler),
            "again": (large.web.port, again),
            "plain": (plain.port, butler),
            "baseline": (arena.baseline.port, baseline),
        }
        counts = {}
        for name, (port, write) in sides.items():
            rate = throughput(port, write(size.first_singles), size.connections)
            counts[name] = max(int(rate * size.seconds), size.connections)
        rates: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(size.rounds):
            for name, (port, write) in sides.items():
                rates[name].append(throughput(port, write(counts[name]), size.connections))

        wanted = int(size.read_rate * size.read_seconds)
        slowest = {
            name: _latencies(port, butler(wanted), size.read_rate)
            for name, (port, _) in sides.items()
            if name in ("butler", "plain")
        }
    return [_latency(arena, slowest), _throughput(rates), _again(rates)]


def _plain(arena: Arena) -> stage.Database:
    database = arena.large.context.database
    env = {**database.env, "DJANGO_SETTINGS_MODULE": "bench.plain.settings"}
    return stage.Database(database.url, env)


def requests(customers: Sequence[UUID], key: str, path: str = "/api/customers/{}/") -> list[bytes]:
    return [
        load.request("GET", path.format(customer), authorization=f"Bearer {key}")
        for customer in customers
    ]


def found(answer: Answer) -> int:
    if answer.status != 200 or b'"version"' not in answer.body:
        raise load.Failed(f"no record: {answer.head!r} {answer.body[:200]!r}")
    return 1


def throughput(port: int, wanted: Sequence[bytes], connections: int) -> float:
    """Return records a second, as fast as answers come."""
    return load.closed_loop(port, wanted, connections=connections, check=found).rate


def _latencies(port: int, wanted: Sequence[bytes], rate: float) -> list[float]:
    """Return milliseconds from when a request was due, at a steady rate."""
    seen = asyncio.run(load.open_loop(port, wanted, rate=rate, check=found))
    return [1000 * latency for latency in seen.latencies]


def _latency(arena: Arena, slowest: dict[str, list[float]]) -> Figure:
    p99 = percentile(slowest["butler"], 0.99)
    return Figure(
        f"record read by id, p99 at {arena.size.read_rate}/s",
        tidy(p99),
        "ms",
        limit=tidy(percentile(slowest["plain"], 0.99)),
        aim="≤ 20 ms",
        met=p99 <= 20,
    )


def _throughput(rates: dict[str, list[float]]) -> Figure:
    value, plain = middle(rates["butler"]), middle(rates["plain"])
    return Figure(
        "record read by id, throughput",
        value,
        "records/s",
        limit=plain,
        baseline=middle(rates["baseline"]),
        aim="≥ 0.5 of bare SQL in a plain view",
        met=value >= 0.5 * plain,
    )


def _again(rates: dict[str, list[float]]) -> Figure:
    """Of what was looked at a short while ago: the first look of a key is written down."""
    return Figure(
        "record read by id, again within ten minutes, throughput",
        middle(rates["again"]),
        "records/s",
        limit=middle(rates["plain"]),
        baseline=middle(rates["baseline"]),
    )


def rate(butler: Butler, count: int, name: str, connections: int) -> float:
    """Return records a second of one Butler: for comparing sizes."""
    customers = [guest.customer_id for guest in butler.context.guests]
    # As many in both, from anywhere in each: the first look at a record is written down.
    some = Random("few").sample(customers, min(_FEW, len(customers)))
    chosen = Random(name).choices(some, k=count)
    return throughput(butler.web.port, requests(chosen, butler.context.key), connections)
