"""Invents customers and their events as rows for COPY. Pure; a seed always gives the same rows.

The rows equal those that ingestion stores for the same events: a test sends the events through
ingestion and compares. Bodies have sorted keys, because the digest is computed from that form.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import islice
from random import Random
from typing import NamedTuple
from uuid import UUID

from bench.synthetic import vocabulary
from customers.events.arrival import PLACES
from customers.events.log import message_key
from customers.projections.registry import Subject
from customers.types import CLAIMED, NOTED, STATED, VERIFIED

# A fixed period of a year and a half, so that the rows do not depend on the current date.
BEGIN = datetime(2025, 5, 1, tzinfo=UTC)
ARRIVALS = timedelta(days=500)
END = datetime(2026, 11, 1, tzinfo=UTC)
_BEGIN_MS, _END_MS = int(BEGIN.timestamp() * 1000), int(END.timestamp() * 1000)
_ARRIVALS_MS = int(ARRIVALS.total_seconds() * 1000)
# Milliseconds from an event to its arrival at Butler.
_RECEIVE_LAG_MS = 300

APP, SITE = "app", "site"
CHANNELS = (APP, SITE)


class Chunk(NamedTuple):
    """Customers that are written in one transaction. `tag` names the whole plan."""

    tag: str
    number: int
    first: int
    customers: int
    events: int
    # The customers of the whole plan. Their arrivals are spread evenly over the period.
    plan_customers: int


class Identifier(NamedTuple):
    kind: str
    value: str
    evidence: int


class Person(NamedTuple):
    """A customer before the first event; the identifiers that events are filed on, strongest first."""

    number: int
    id: UUID
    arrived_at: int
    identifiers: tuple[Identifier, ...]
    events: int
    order: str


class Rows(NamedTuple):
    """Lines in the text format of COPY, with the columns of `bench.synthetic.generate`."""

    customers: list[str]
    identifiers: list[str]
    links: list[str]
    events: list[str]
    traits: list[str]
    subjects: list[Subject]


def customer_id(tag: str, number: int, plan_customers: int) -> UUID:
    """Return the id of the customer with this number. The ids sort by arrival."""
    digest = blake2b(f"{tag}:{number}".encode(), digest_size=10).digest()
    noise = int.from_bytes(digest)
    prefix = _arrival(number, plan_customers) << 80 | 7 << 76 | (noise >> 68 & 0xFFF) << 64
    return UUID(int=prefix | 2 << 62 | noise & (1 << 62) - 1)


def _arrival(number: int, plan_customers: int) -> int:
    return _BEGIN_MS + _ARRIVALS_MS * number // plan_customers


def people(chunk: Chunk) -> list[Person]:
    """Invent the customers of a chunk with their numbers of events."""
    random = Random(f"{chunk.tag}:{chunk.number}:people")
    counts = _event_counts(random, chunk.customers, chunk.events)
    return [
        _person(random, chunk, chunk.first + place, count) for place, count in enumerate(counts)
    ]


def _event_counts(random: Random, customers: int, events: int) -> list[int]:
    """Give each customer one event, and most of the other events to a few customers."""
    counts = [1] * customers
    weights = [min(random.paretovariate(1.3), 50.0) for _ in counts]
    for index in random.choices(range(customers), weights, k=events - customers):
        counts[index] += 1
    return counts


def _person(random: Random, chunk: Chunk, number: int, events: int) -> Person:
    name = f"{chunk.tag}-{number}"
    has_email, has_app, has_card, has_order = (random.random() < p for p in (0.8, 0.5, 0.2, 0.15))
    order = ""
    if random.random() < 0.2:
        identifiers = [Identifier("anonymous_id", f"device-{name}", CLAIMED)]
    else:
        identifiers = [Identifier("user_id", f"guest-{name}", VERIFIED)]
        if has_email:
            identifiers.append(Identifier("email", f"guest.{name}@larkmoor.example", VERIFIED))
        if has_card:
            identifiers.append(Identifier("card", f"CARD{name.replace('-', '').upper()}", VERIFIED))
        if has_order and events > 1:
            order = f"{name}-1"
            identifiers.append(Identifier("order", order, VERIFIED))
        if has_app:
            identifiers.append(Identifier("anonymous_id", f"device-{name}", CLAIMED))
    return Person(
        number,
        customer_id(chunk.tag, number, chunk.plan_customers),
        _arrival(number, chunk.plan_customers),
        tuple(identifiers),
        events,
        order,
    )


def invent_rows(
    chunk: Chunk, people_of_chunk: Sequence[Person], ids: Sequence[int], sources: Mapping[str, int]
) -> Rows:
    """Invent the events of the customers of a chunk.

    ids: of identifiers, as many as the people have atoms; sources: an id for each channel.
    """
    random = Random(f"{chunk.tag}:{chunk.number}:events")
    rows = Rows([], [], [], [], [], [])
    event_lines: list[tuple[int, str]] = []
    remaining_ids = iter(ids)
    for person in people_of_chunk:
        identifier_ids = list(islice(remaining_ids, len(person.identifiers)))
        has_account = person.identifiers[0].kind == "user_id"
        activity = (_GuestActivity if has_account else _VisitorActivity)(
            random, chunk, person, identifier_ids, sources
        )
        event_lines += activity.events(rows)
        rows.customers.append(
            f"{person.id}\t{person.events}\t0\t{_format_time(person.arrived_at + _RECEIVE_LAG_MS)}\t{_format_time(activity.at)}\n"
        )
    # Events are written in the order of their time, not customer by customer.
    event_lines.sort()
    rows.events.extend(line for _, line in event_lines)
    return rows


# A moment is formatted millions of times. strftime would take a third of the time.
_DAYS = [f"{BEGIN + timedelta(days=day):%Y-%m-%dT}" for day in range((END - BEGIN).days + 2)]
_SECONDS = [f"{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}" for s in range(86_400)]


def _format_time(milliseconds: int) -> str:
    days, rest = divmod(milliseconds - _BEGIN_MS, 86_400_000)
    return f"{_DAYS[days]}{_SECONDS[rest // 1000]}.{rest % 1000:03}Z"


def _arrival_number(occurred_at: int) -> int:
    """Return the arrival number of an event of this moment (ms), which came alone."""
    return (occurred_at + _RECEIVE_LAG_MS) * 1000 * PLACES


class _Activity:
    """The events of one customer since their arrival."""

    evidence: int
    # The evidence of what the source says about who is who.
    statements: int

    def __init__(
        self,
        random: Random,
        chunk: Chunk,
        person: Person,
        ids: Sequence[int],
        sources: Mapping[str, int],
    ) -> None:
        self.random = random
        self.person = person
        self.name = f"{chunk.tag}-{person.number}"
        self.id = str(person.id)
        self.ids = dict(
            zip((identifier.kind for identifier in person.identifiers), ids, strict=True)
        )
        self.sources = sources
        self.at = person.arrived_at

    def versions(self) -> Iterator[int]:
        """Yield the versions of the log with their times."""
        arrived_at = self.person.arrived_at
        later_times = [
            self.random.randrange(arrived_at, _END_MS) + 1 for _ in range(self.person.events - 1)
        ]
        for version, time in enumerate((arrived_at, *sorted(later_times)), start=1):
            self.at = time
            yield version

    def events(self, rows: Rows) -> Iterator[tuple[int, str]]:
        """Yield each event: its time in milliseconds and its row for COPY. Add other rows to `rows`."""
        raise NotImplementedError

    def _add_identifier(self, rows: Rows, identifier: Identifier, at: int) -> None:
        # Only what an event was filed under has a record of its own.
        record = self.id if identifier is self.person.identifiers[0] else r"\N"
        is_number = identifier.kind in ("user_id", "order")
        value = f"{self.sources[APP]}/{identifier.value}" if is_number else identifier.value
        rows.identifiers.append(
            f"{self.ids[identifier.kind]}\t{identifier.kind}\t{value}\t{identifier.evidence}\t{record}\t"
            f"{self.id}\tf\t{self.statements}\t{_format_time(at + _RECEIVE_LAG_MS)}\n"
        )

    def _event(
        self, version: int, channel: str, kind: str, name: str, about: str, ids: str, body: str
    ) -> str:
        source = self.sources[channel]
        message_id = f"{self.name}-{version}"
        digest = blake2b(body.encode(), digest_size=16).hexdigest()
        at, received_at = _format_time(self.at), _format_time(self.at + _RECEIVE_LAG_MS)
        return (
            f"{self.id}\t{version}\t{source}\t{message_id}\t"
            f"{message_key(source, message_id, is_public=self.evidence == CLAIMED)}\t{digest}\t{kind}\t{name}\t{about}\t"
            f"{self.evidence}\t\t{{{ids}}}\t{at}\t{received_at}\t{received_at}\t"
            f"{_arrival_number(self.at)}\t{body}\n"
        )


class _VisitorActivity(_Activity):
    """A browser without a sign-in. All its events are claims."""

    evidence = CLAIMED
    statements = CLAIMED

    def events(self, rows: Rows) -> Iterator[tuple[int, str]]:
        (identifier,) = self.person.identifiers
        self._add_identifier(rows, identifier, self.person.arrived_at)
        ids, random = str(self.ids[identifier.kind]), self.random
        for version in self.versions():
            page = random.choice(vocabulary.PAGES)
            body = (
                f'{{"anonymousId":"{identifier.value}","messageId":"{self.name}-{version}",'
                f'"name":"{page}","properties":{{"path":"/{page}","referrer":"",'
                f'"width":{random.randrange(320, 2560)}}},"timestamp":"{_format_time(self.at)}",'
                f'"type":"page"}}'
            )
            yield self.at, self._event(version, SITE, "page", page, "", ids, body)


class _GuestActivity(_Activity):
    """A customer with an account. The app is a trusted source."""

    evidence = VERIFIED
    statements = STATED

    def events(self, rows: Rows) -> Iterator[tuple[int, str]]:
        self.user = self.person.identifiers[0].value
        self.device = f'"anonymousId":"device-{self.name}",' if "anonymous_id" in self.ids else ""
        strong_ids = [self.ids["user_id"]]
        self.in_app = ",".join(map(str, (*strong_ids, *self._ids_of_kinds("anonymous_id"))))
        self.without_device = str(self.ids["user_id"])
        # An order is the second event of customers who ordered. Some cancel it later.
        order_version = 2 if self.person.order else 0
        change_version = self.random.randrange(3, 9) if self.person.order else 0
        for version in self.versions():
            if version == 1:
                yield self.at, self._identify(rows)
            elif version == order_version:
                yield self.at, self._order(rows, version)
            elif version == change_version:
                yield self.at, self._change(rows, version)
            else:
                yield self.at, self._visit(version)

    def _ids_of_kinds(self, *kinds: str) -> list[int]:
        return [self.ids[kind] for kind in kinds if kind in self.ids]

    def _body(self, version: int, event: str, properties: str, *, device: str = "") -> str:
        return (
            f'{{{device}"event":"{event}","messageId":"{self.name}-{version}",'
            f'"properties":{properties},"timestamp":"{_format_time(self.at)}","type":"track",'
            f'"userId":"{self.user}"}}'
        )

    def _identify(self, rows: Rows) -> str:
        random = self.random
        traits = {
            "city": random.choice(vocabulary.CITIES),
            "language": random.choice(vocabulary.LANGUAGES),
            "name": f"{random.choice(vocabulary.FIRST_NAMES)} {random.choice(vocabulary.LAST_NAMES)}",
        }
        for identifier in self.person.identifiers:
            if identifier.kind != "order":
                self._add_identifier(rows, identifier, self.at)
            if identifier.kind in ("card", "email"):
                traits[identifier.kind] = identifier.value
        self._add_link(rows, "email", state="joined")
        self._add_link(rows, "card", state="attached")
        self._add_link(rows, "anonymous_id", state="attached")
        text = ",".join(f'"{name}":"{value}"' for name, value in sorted(traits.items()))
        body = (
            f'{{{self.device}"messageId":"{self.name}-1","timestamp":"{_format_time(self.at)}",'
            f'"traits":{{{text}}},"type":"identify","userId":"{self.user}"}}'
        )
        key, at = message_key(self.sources[APP], f"{self.name}-1"), _format_time(self.at)
        weight = f"{self.evidence}\t{self.sources[APP]}\t{at}\t{_arrival_number(self.at)}\t{key}"
        rows.traits.extend(
            f'{self.id}\t{name}\t"{value}"\t{weight}\n' for name, value in traits.items()
        )
        ids = ",".join(map(str, self._ids_of_kinds("user_id", "email", "card", "anonymous_id")))
        return self._event(1, APP, "identify", "", "", ids, body)

    def _add_link(
        self, rows: Rows, kind: str, *, state: str, link: str = "seen", evidence: int = STATED
    ) -> None:
        for other_id in self._ids_of_kinds(kind):
            first, second = sorted((self.ids["user_id"], other_id))
            last_at = _format_time(self.at) if link == "moved" else r"\N"
            rows.links.append(
                f"{first}\t{second}\t{link}\t{evidence}\t{self.sources[APP]}\t{state}\t"
                f"{_format_time(self.at)}\t{_arrival_number(self.at)}\t"
                f"{last_at}\t{_format_time(self.at + _RECEIVE_LAG_MS)}\n"
            )

    def _order(self, rows: Rows, version: int) -> str:
        (identifier,) = (
            identifier for identifier in self.person.identifiers if identifier.kind == "order"
        )
        self._add_identifier(rows, identifier, self.at)
        self._add_link(rows, "order", state="filed", link="placed", evidence=NOTED)
        rows.subjects.append(Subject(self.person.id, f"order:{self.person.order}"))
        product, price = self.random.choice(vocabulary.PRODUCTS)
        visit = datetime.fromtimestamp(self.at // 1000, UTC) + timedelta(
            days=self.random.randrange(1, 200)
        )
        properties = (
            f'{{"currency":"EUR","order_id":"{self.person.order}","products":[{{"line_id":"1",'
            f'"name":"{product}","price":"{price}","quantity":{self.random.randrange(1, 6)}}}],'
            f'"visit_date":"{visit:%Y-%m-%d}"}}'
        )
        return self._about_order(version, "Order Completed", properties)

    def _change(self, rows: Rows, version: int) -> str:
        number = self.person.order
        if self.random.random() < 0.3:
            return self._about_order(version, "Order Cancelled", f'{{"order_id":"{number}"}}')
        self._add_link(rows, "order", state="filed", link="moved", evidence=NOTED)
        party = self.random.randrange(1, 9)
        properties = f'{{"note":"party of {party}","order_id":"{number}"}}'
        return self._about_order(version, "Order Amended", properties)

    def _about_order(self, version: int, name: str, properties: str) -> str:
        ids = ",".join(map(str, self._ids_of_kinds("user_id", "order")))
        about, body = f"order:{self.person.order}", self._body(version, name, properties)
        return self._event(version, APP, "track", name, about, ids, body)

    def _visit(self, version: int) -> str:
        random = self.random
        if random.random() < 0.2:
            name, gate = "Gate Passed", random.randrange(1, 5)
            body = self._body(version, name, f'{{"gate":{gate},"lane":"north"}}')
            return self._event(version, APP, "track", name, "", self.without_device, body)
        name, ride = "Ride Entered", random.choice(vocabulary.RIDES)
        wait = random.randrange(0, 60)
        properties = f'{{"minutes_waited":{wait},"posted_wait":{wait + 5},"ride":"{ride}"}}'
        body = self._body(version, name, properties, device=self.device)
        return self._event(version, APP, "track", name, "", self.in_app, body)
