"""Batches and single events through HTTP: how many a second are committed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bench import load
from bench.arena import BASELINE_CUSTOMERS, BASELINE_KEY, Arena, Butler
from bench.bare import Copier
from bench.bodies import BATCH, Writer, accepted
from bench.cpu import Meter
from bench.figures import Figure, middle
from bench.load import Answer, Closed
from bench.size import Size


@dataclass(frozen=True, slots=True)
class Shape:
    """How events travel: `events` of them in a request."""

    name: str
    events: int

    def first(self, size: Size) -> int:
        return size.first_singles if self.events == 1 else size.first_batches


BATCHES = Shape("batch", BATCH)
SINGLES = Shape("single", 1)


@dataclass(slots=True)
class Rates:
    """What the rounds saw: events a second, and microseconds of processor for one event."""

    butler: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    inside: list[float] = field(default_factory=list)
    baseline: list[float] = field(default_factory=list)
    web_cpu: list[float] = field(default_factory=list)
    postgres_cpu: list[float] = field(default_factory=list)
    client: list[float] = field(default_factory=list)


class Match:
    """Butler, bare Postgres and the baseline, taking turns at the same kind of work."""

    def __init__(self, arena: Arena, shape: Shape) -> None:
        self.arena, self.shape = arena, shape
        self.context = arena.large.context
        self.copier = Copier(self.context)
        known = replace(self.context, guests=self.context.guests[:BASELINE_CUSTOMERS])
        self._writers = {
            "butler": Writer(self.context, f"{shape.name} butler"),
            "bare": Writer(self.context, f"{shape.name} bare"),
            "inside": Writer(self.context, f"{shape.name} inside"),
            "baseline": Writer(known, f"{shape.name} baseline"),
        }
        self._meter = Meter(self.context.database, arena.large.web.workers())
        self.rates = Rates()

    def run(self) -> Rates:
        """Warm up, then play the rounds; each side in each round for the same time."""
        sides: dict[str, Callable[[int], float]] = {
            "butler": self._butler,
            "bare": self._bare,
            "inside": self._inside,
            "baseline": self._baseline,
        }
        counts = {}
        for name, play in sides.items():
            first = self.shape.first(self.arena.size)
            # The slowest side needs the least: it does the same for every row.
            rate = play(first if name != "baseline" else first // 20 + 1)
            wanted = int(rate * self.arena.size.seconds / self.shape.events)
            counts[name] = max(wanted, self.arena.size.connections)
        self.rates = Rates()
        for _ in range(self.arena.size.rounds):
            for name, play in sides.items():
                getattr(self.rates, name).append(play(counts[name]))
        return self.rates

    def _events(self, side: str, requests: int) -> list[list[bytes]]:
        writer = self._writers[side]
        return [[writer.event() for _ in range(self.shape.events)] for _ in range(requests)]

    def _butler(self, requests: int) -> float:
        writer = self._writers["butler"]
        bodies = [
            writer.post(events) if self.shape is BATCHES else writer.post_one(events[0])
            for events in self._events("butler", requests)
        ]
        before = self._meter.read()
        done = self._send(self.arena.large.web.port, bodies, accepted)
        spent = self._meter.read() - before
        self.rates.web_cpu.append(spent.web / done.done * 1e6)
        self.rates.postgres_cpu.append(spent.postgres / done.done * 1e6)
        self.rates.client.append(done.own_cpu)
        return done.rate

    def _send(self, port: int, requests: Sequence[bytes], check: Callable[[Answer], int]) -> Closed:
        connections = self.arena.size.connections
        return load.closed_loop(port, requests, connections=connections, check=check)

    def _bare(self, requests: int) -> float:
        batches = [self.copier.lines(events) for events in self._events("bare", requests)]
        connections = self.arena.size.connections
        return self.copier.run(batches, connections=connections).rate * self.shape.events

    def _inside(self, requests: int) -> float:
        from django.db import connection

        from channels.ingest.segment import Frame, read
        from customers import ingest
        from customers.access import keys
        from customers.types import IncomingEvent

        now = datetime.now(UTC)
        sender = keys.find_sender(self.context.key)
        assert sender is not None
        frame = Frame(received_at=now, is_trusted=sender.is_trusted)
        found = [
            [item for raw in events if isinstance(item := read(raw, frame), IncomingEvent)]
            for events in self._events("inside", requests)
        ]

        def store(some: Iterator[list[IncomingEvent]]) -> int:
            try:
                return sum(
                    ingest.record(sender=sender, items=items, received_at=now).accepted
                    for items in some
                )
            finally:
                # This thread's, which nobody else would give back to the pool.
                connection.close()

        return load.together([found], store).rate

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
                raise load.Failed(f"the baseline: {answer.head!r} {answer.body!r}")
            return self.shape.events

        return self._send(self.arena.baseline.port, bodies, created).rate


def batches(arena: Arena) -> list[Figure]:
    rates = Match(arena, BATCHES).run()
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


def singles(arena: Arena) -> list[Figure]:
    rates = Match(arena, SINGLES).run()
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
    """Return events a second, batched, of one Butler: for comparing sizes."""
    writer = Writer(butler.context, name)
    bodies = [writer.post(writer.batch()) for _ in range(requests)]
    done = load.closed_loop(butler.web.port, bodies, connections=connections, check=accepted)
    return done.rate
