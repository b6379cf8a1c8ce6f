"""Measures committed events a second over HTTP, in batches and one by one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bench import load
from bench.bare import EventCopier
from bench.cpu import CpuMeter
from bench.figures import Figure, middle
from bench.load import Answer, ClosedLoop
from bench.size import Size
from bench.testbed import BASELINE_CUSTOMERS, BASELINE_KEY, Butler, Testbed
from bench.traffic import BATCH, EventWriter, count_accepted


@dataclass(frozen=True, slots=True)
class RequestKind:
    """A kind of request, with its number of events."""

    name: str
    events: int

    def first(self, size: Size) -> int:
        """Return the number of the first events that requests of this kind send."""
        return size.first_singles if self.events == 1 else size.first_batches


BATCHES = RequestKind("batch", BATCH)
SINGLES = RequestKind("single", 1)


@dataclass(slots=True)
class Rates:
    """Figures of the rounds: events a second, and microseconds of processor time per event."""

    butler: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    inside: list[float] = field(default_factory=list)
    baseline: list[float] = field(default_factory=list)
    web_cpu: list[float] = field(default_factory=list)
    postgres_cpu: list[float] = field(default_factory=list)
    client: list[float] = field(default_factory=list)


class IngestComparison:
    """Measures Butler, bare Postgres and the baseline in turn, with the same kind of request."""

    def __init__(self, testbed: Testbed, kind: RequestKind) -> None:
        self.testbed, self.kind = testbed, kind
        self.target = testbed.large.target
        self.copier = EventCopier(self.target)
        baseline_target = replace(self.target, guests=self.target.guests[:BASELINE_CUSTOMERS])
        self._writers = {
            "butler": EventWriter(self.target, f"{kind.name} butler"),
            "bare": EventWriter(self.target, f"{kind.name} bare"),
            "inside": EventWriter(self.target, f"{kind.name} inside"),
            "baseline": EventWriter(baseline_target, f"{kind.name} baseline"),
        }
        self._meter = CpuMeter(self.target.database, testbed.large.web.workers())
        self.rates = Rates()

    def run(self) -> Rates:
        """Warm up, then run the rounds, with the same time for each side; return the rates."""
        sides: dict[str, Callable[[int], float]] = {
            "butler": self._butler,
            "bare": self._bare,
            "inside": self._inside,
            "baseline": self._baseline,
        }
        counts = {}
        for name, measure in sides.items():
            first = self.kind.first(self.testbed.size)
            # The baseline is the slowest side, so a small number of requests is enough.
            rate = measure(first if name != "baseline" else first // 20 + 1)
            count = int(rate * self.testbed.size.seconds / self.kind.events)
            counts[name] = max(count, self.testbed.size.connections)
        self.rates = Rates()
        for _ in range(self.testbed.size.rounds):
            for name, measure in sides.items():
                getattr(self.rates, name).append(measure(counts[name]))
        return self.rates

    def _events(self, side: str, requests: int) -> list[list[bytes]]:
        writer = self._writers[side]
        return [[writer.event() for _ in range(self.kind.events)] for _ in range(requests)]

    def _butler(self, requests: int) -> float:
        writer = self._writers["butler"]
        requests_to_send = [
            writer.batch_request(events)
            if self.kind is BATCHES
            else writer.event_request(events[0])
            for events in self._events("butler", requests)
        ]
        cpu_before = self._meter.read()
        loop = self._send(self.testbed.large.web.port, requests_to_send, count_accepted)
        cpu = self._meter.read() - cpu_before
        self.rates.web_cpu.append(cpu.web / loop.completed * 1e6)
        self.rates.postgres_cpu.append(cpu.postgres / loop.completed * 1e6)
        self.rates.client.append(loop.own_cpu)
        return loop.rate

    def _send(
        self, port: int, requests: Sequence[bytes], check: Callable[[Answer], int]
    ) -> ClosedLoop:
        connections = self.testbed.size.connections
        return load.closed_loop(port, requests, connections=connections, check=check)

    def _bare(self, requests: int) -> float:
        batches = [self.copier.lines(events) for events in self._events("bare", requests)]
        connections = self.testbed.size.connections
        return self.copier.run(batches, connections=connections).rate * self.kind.events

    def _inside(self, requests: int) -> float:
        from django.db import connection

        from channels.ingest.segment import RequestContext, read_event
        from customers import ingest
        from customers.access import keys
        from customers.types import IncomingEvent

        now = datetime.now(UTC)
        sender = keys.find_sender(self.target.key)
        assert sender is not None
        frame = RequestContext(received_at=now, is_trusted=sender.is_trusted)
        batches = [
            [event for raw in events if isinstance(event := read_event(raw, frame), IncomingEvent)]
            for events in self._events("inside", requests)
        ]

        def store(batches: Iterator[list[IncomingEvent]]) -> int:
            try:
                return sum(
                    ingest.store_events(sender=sender, events=items, received_at=now).accepted
                    for items in batches
                )
            finally:
                # Each thread has to return its own connection to the pool.
                connection.close()

        return load.run_threads([batches], store).rate

    def _baseline(self, requests: int) -> float:
        bodies = [
            load.request(
                "POST",
                "/events/",
                authorization=f"Bearer {BASELINE_KEY}",
                body=b"[" + b",".join(events) + b"]",
            )
            for events in self._events("baseline", requests)
        ]

        def created(answer: Answer) -> int:
            if answer.status != 201:
                raise load.BenchmarkFailed(f"the baseline: {answer.head!r} {answer.body!r}")
            return self.kind.events

        return self._send(self.testbed.baseline.port, bodies, created).rate


def batches(testbed: Testbed) -> list[Figure]:
    """Measure the ingest of batches, in events per second."""
    rates = IngestComparison(testbed, BATCHES).run()
    value, bare = middle(rates.butler), middle(rates.bare)
    return [
        Figure(
            f"batch ingest ({BATCH} events), HTTP, whole pipeline",
            value,
            "events/s",
            limit=bare,
            baseline=middle(rates.baseline),
            aim="≥ 0.5 of COPY",
            met=value >= 0.5 * bare,
        ),
        Figure(
            "batch ingest, without HTTP, one thread", middle(rates.inside), "events/s", limit=bare
        ),
        *_costs("batch ingest", rates),
    ]


def singles(testbed: Testbed) -> list[Figure]:
    """Measure the ingest of single events, in events per second."""
    rates = IngestComparison(testbed, SINGLES).run()
    value, baseline = middle(rates.butler), middle(rates.baseline)
    return [
        Figure(
            "single-event ingest, acknowledged = committed",
            value,
            "events/s",
            limit=middle(rates.bare),
            baseline=baseline,
            aim="≥ 10 × baseline",
            met=value >= 10 * baseline,
        ),
        Figure("single-event ingest, without HTTP, one thread", middle(rates.inside), "events/s"),
        *_costs("single-event ingest", rates),
    ]


def _costs(name: str, rates: Rates) -> list[Figure]:
    return [
        Figure(f"{name}: processor of web", middle(rates.web_cpu), "µs/event"),
        Figure(f"{name}: processor of Postgres", middle(rates.postgres_cpu), "µs/event"),
        Figure(f"{name}: processor of the client", middle(rates.client), "cores"),
    ]


def rate(butler: Butler, requests: int, name: str, connections: int) -> float:
    """Return the events a second of one Butler in batches, to compare database sizes."""
    writer = EventWriter(butler.target, name)
    requests_to_send = [writer.batch_request(writer.batch()) for _ in range(requests)]
    loop = load.closed_loop(
        butler.web.port, requests_to_send, connections=connections, check=count_accepted
    )
    return loop.rate
