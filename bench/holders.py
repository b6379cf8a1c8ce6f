"""Measures batches that name a mailbox, a phone or a card which 10,000 customers have.

Butler runs in this process, so the figures have no HTTP in them. They compare the next batch that
names the value with the same batch that names fresh values.
"""

import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from unittest import mock

from bench.figures import Figure, middle
from bench.testbed import Testbed
from bench.traffic import BATCH
from customers.types import IncomingEvent, Sender

HOLDERS = 10_000
FEW_HOLDERS = 3
ROUNDS = 15
_START = datetime(2026, 11, 1, tzinfo=UTC)
# A value that all customers have, and a fresh one, by kind.
_VALUES: dict[str, Callable[[int], str]] = {
    "email": lambda number: f"holder{number}@bench.example.org",
    "phone": lambda number: f"+3165{number:07}",
    "card": lambda number: f"BENCH-{number:07}",
}


def figures(testbed: Testbed) -> list[Figure]:
    """Fill the large database with holders, and measure the next batches of one event."""
    return measure(HOLDERS)


def measure(holders: int) -> list[Figure]:
    """Return the figures of values with this number of holders, and of three usual batches."""
    sender = _create_sender()
    rows = []
    for kind in _VALUES:
        _state_holders(sender, kind, holders)
        rows += _cost_of_value(sender, kind, holders)
    return [*rows, *_statements_of_batches(sender)]


def _create_sender() -> Sender:
    from customers.events.internal_sources import sender_of_source
    from customers.models import Source, Space

    name = f"holders {uuid.uuid4()}"
    source = Source.objects.create(
        name=name, channel="site", space=Space.objects.create(name=name), default_region="NL"
    )
    return sender_of_source(source, is_trusted=True)


def _state_holders(sender: Sender, kind: str, holders: int) -> None:
    """Let many accounts state one value, in batches."""
    for first in range(0, holders, BATCH):
        numbers = range(first, min(first + BATCH, holders))
        _store(sender, [_statement(f"{kind}-{n}", kind, _shared(kind), n) for n in numbers])


def _shared(kind: str) -> str:
    return _VALUES[kind](int(uuid.uuid5(uuid.NAMESPACE_OID, kind)) % 5_000_000)


def _cost_of_value(sender: Sender, kind: str, holders: int) -> list[Figure]:
    """Return the time of a new account that names the value.

    It is compared with the time for a value of a few holders, which the rules refuse in the same
    way, and with the time for a fresh value, whose owner is certain without reading the graph.
    """
    few = _VALUES[kind](_random_number())
    for number in range(FEW_HOLDERS):
        _store(sender, [_statement(f"{kind}-few-{uuid.uuid4()}", kind, few, number)])
    seconds: defaultdict[str, list[float]] = defaultdict(list)
    statements: dict[str, int] = {}
    for number in range(ROUNDS):
        values = {"many": _shared(kind), "few": few, "fresh": _VALUES[kind](_random_number())}
        for side, value in values.items():
            event = _statement(f"{kind}-{side}-{uuid.uuid4()}", kind, value, holders + number)
            with _counted() as names:
                started = time.perf_counter()
                _store(sender, [event])
                seconds[side].append(time.perf_counter() - started)
            statements[side] = len(names)
    many, few_cost, fresh = (middle(seconds[side]) * 1000 for side in ("many", "few", "fresh"))
    name = f"new account with the {kind} of {holders:,} holders"
    return [
        Figure(name, many, "ms", baseline=fresh),
        Figure(f"{name}: time against a few holders", middle([many / few_cost]), "times"),
        Figure(f"{name}: time against a fresh {kind}", middle([many / fresh]), "times"),
        Figure(f"{name}: statements", statements["many"], "count", baseline=statements["fresh"]),
    ]


def _random_number() -> int:
    """Return a number that no holder has."""
    return 5_000_000 + uuid.uuid4().int % 4_999_999


def _statements_of_batches(sender: Sender) -> list[Figure]:
    """Return the number of statements of batches of 100 events, each kind of batch once."""
    run = uuid.uuid4()
    accounts = [f"{run}-{number}" for number in range(BATCH)]
    boxes = [f"{run}-{number}@bench.example.org" for number in range(BATCH)]
    batches = {
        "new customers": [_track(account, number) for number, account in enumerate(accounts)],
        "known customers": [_track(account, number) for number, account in enumerate(accounts)],
        "new mailboxes": [_order(box, number) for number, box in enumerate(boxes)],
        "new links between known customers and mailboxes": [
            _statement(account, "email", box, number)
            for number, (account, box) in enumerate(zip(accounts, boxes, strict=True))
        ],
    }
    rows = []
    for name, batch in batches.items():
        with _counted() as names:
            started = time.perf_counter()
            _store(sender, batch)
            milliseconds = (time.perf_counter() - started) * 1000
        rows.append(Figure(f"batch of {BATCH}, {name}: statements", len(names), "count"))
        rows.append(Figure(f"batch of {BATCH}, {name}", middle([milliseconds]), "ms"))
    return rows


@contextmanager
def _counted() -> Iterator[list[str]]:
    """Collect the names of the statements that run inside."""
    from customers.sql import StatementFolder

    load = StatementFolder.load
    names: list[str] = []

    def counting(folder: StatementFolder, name: str) -> str:
        names.append(name)
        return load(folder, name)

    with mock.patch.object(StatementFolder, "load", counting):
        yield names


def _store(sender: Sender, events: list[IncomingEvent]) -> None:
    from customers import ingest

    batch = ingest.store_events(sender=sender, events=events, received_at=datetime.now(UTC))
    assert batch.accepted == len(events)


def _statement(account: str, kind: str, value: str, number: int) -> IncomingEvent:
    return _event((("user_id", account), (kind, value)), number, kind="identify")


def _track(account: str, number: int) -> IncomingEvent:
    return _event((("user_id", account),), number)


def _order(box: str, number: int) -> IncomingEvent:
    return _event((("email", box),), number)


def _event(
    identifiers: tuple[tuple[str, str], ...], number: int, *, kind: str = "track"
) -> IncomingEvent:
    message_id = str(uuid.uuid4())
    body = f'{{"messageId": "{message_id}"}}'.encode()
    return IncomingEvent(
        message_id=message_id,
        kind=kind,
        name="Ride Entered" if kind == "track" else "",
        identifiers=identifiers,
        occurred_at=_START + timedelta(seconds=number),
        body=body,
        body_hash=blake2b(body, digest_size=16).digest(),
        traits={} if kind == "identify" else None,
    )
