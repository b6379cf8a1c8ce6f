"""Measures reads of one record by its id in a large database."""

import asyncio
from collections.abc import Sequence
from random import Random
from uuid import UUID

from bench import load, servers
from bench.figures import Figure, middle, percentile, tidy
from bench.load import Answer
from bench.testbed import BASELINE_KEY, Butler, Testbed

# A small set of records, so that all of them are soon read.
_RECENT_RECORDS = 1_000


def figures(testbed: Testbed) -> list[Figure]:
    """Return the latency at a steady rate, and the largest rate."""
    size, large = testbed.size, testbed.large
    with servers.running_server(
        "web", _plain(testbed), application="bench.plain.wsgi:application"
    ) as plain:
        customers = [guest.customer_id for guest in large.target.guests]
        key, baseline_customers = large.target.key, testbed.baseline_customers
        random = Random("reads")

        def butler(count: int) -> list[bytes]:
            return requests(random.choices(customers, k=count), key)

        def recent(count: int) -> list[bytes]:
            return requests(random.choices(customers[:_RECENT_RECORDS], k=count), key)

        def baseline(count: int) -> list[bytes]:
            path = "/customers/{}/"
            return requests(random.choices(baseline_customers, k=count), BASELINE_KEY, path)

        sides = {
            "butler": (large.web.port, butler),
            "again": (large.web.port, recent),
            "plain": (plain.port, butler),
            "baseline": (testbed.baseline.port, baseline),
        }
        counts = {}
        for name, (port, write) in sides.items():
            rate = throughput(port, write(size.first_singles), size.connections)
            counts[name] = max(int(rate * size.seconds), size.connections)
        rates: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(size.rounds):
            for name, (port, write) in sides.items():
                rates[name].append(throughput(port, write(counts[name]), size.connections))

        count = int(size.read_rate * size.read_seconds)
        slowest = {
            name: _latencies(port, butler(count), size.read_rate)
            for name, (port, _) in sides.items()
            if name in ("butler", "plain")
        }
    return [_latency(testbed, slowest), _throughput(rates), _recent_throughput(rates)]


def _plain(testbed: Testbed) -> servers.Database:
    database = testbed.large.target.database
    env = {**database.env, "DJANGO_SETTINGS_MODULE": "bench.plain.settings"}
    return servers.Database(database.url, env)


def requests(customers: Sequence[UUID], key: str, path: str = "/api/customers/{}/") -> list[bytes]:
    """Return one GET request for each customer, as the bytes to send."""
    return [
        load.request("GET", path.format(customer), authorization=f"Bearer {key}")
        for customer in customers
    ]


def count_record(answer: Answer) -> int:
    """Return 1 if the answer is a record. Raises BenchmarkFailed otherwise."""
    if answer.status != 200 or b'"version"' not in answer.body:
        raise load.BenchmarkFailed(f"no record: {answer.head!r} {answer.body[:200]!r}")
    return 1


def throughput(port: int, requests: Sequence[bytes], connections: int) -> float:
    """Return records a second of a closed loop."""
    return load.closed_loop(port, requests, connections=connections, check=count_record).rate


def _latencies(port: int, requests: Sequence[bytes], rate: float) -> list[float]:
    """Return the milliseconds from the due time of each request, at a steady rate."""
    loop = asyncio.run(load.open_loop(port, requests, rate=rate, check=count_record))
    return [1000 * latency for latency in loop.latencies]


def _latency(testbed: Testbed, slowest: dict[str, list[float]]) -> Figure:
    p99 = percentile(slowest["butler"], 0.99)
    return Figure(
        f"record read by id, p99 at {testbed.size.read_rate}/s",
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


def _recent_throughput(rates: dict[str, list[float]]) -> Figure:
    """Measure records that were read before: the first read of a key writes to the access log."""
    return Figure(
        "record read by id, again within ten minutes, throughput",
        middle(rates["again"]),
        "records/s",
        limit=middle(rates["plain"]),
        baseline=middle(rates["baseline"]),
    )


def rate(butler: Butler, count: int, name: str, connections: int) -> float:
    """Return the records a second of one Butler, to compare database sizes."""
    customers = [guest.customer_id for guest in butler.target.guests]
    # The same number of records in both sizes: the first read of each writes to the access log.
    some = Random("few").sample(customers, min(_RECENT_RECORDS, len(customers)))
    chosen = Random(name).choices(some, k=count)
    return throughput(butler.web.port, requests(chosen, butler.target.key), connections)
