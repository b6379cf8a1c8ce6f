"""Due rows claimed and decided, with their messages: what a tick does with a crowd."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from bench import eta, stage
from bench.arena import Arena
from bench.figures import Figure, middle, percentile, tidy
from bench.load import Failed
from bench.stage import Database

# As many processes tick as a small machine has cores; each takes batches of 200.
TICKERS = 2
AUTOMATION = "bench-due"
# A Wednesday on which it is quiet nowhere.
NOON = datetime(2027, 4, 14, 12, tzinfo=UTC)
DOCUMENT = {
    "key": AUTOMATION,
    "name": {"en": "An offer"},
    "trigger": {"kind": "event", "event": "Bench"},
    "steps": [
        {
            "kind": "message",
            "channels": ["inbox"],
            "texts": {"en": {"subject": "Hello {{ customer.first_name }}", "text": "An offer."}},
        }
    ],
    "class": "marketing",
    "topic": "offers",
    "purpose": "offers",
    "expires": "30d",
}
# One claim of 200 as bare as it can be, and the row gone: what the butler does at least.
_BARE = """
    DELETE FROM butler_due WHERE id IN (
        SELECT id FROM butler_due
         WHERE done_at IS NULL AND due_at <= '2027-04-14 12:01Z'
           AND (claimed_until IS NULL OR claimed_until < now())
         ORDER BY due_at LIMIT 200 FOR UPDATE SKIP LOCKED)"""


def figures(arena: Arena) -> list[Figure]:
    """Measure how fast due rows are decided, and how late they are among many that wait."""
    database = arena.large.context.database
    customers = [guest.customer_id for guest in arena.large.context.guests]
    count = min(len(customers), 20_000 if arena.size.seconds > 1 else 200)
    with _furnished(database, customers[:count]):
        rates = [_decided(database, customers[:count]) for _ in range(arena.size.rounds)]
        bare = [_bare(database, customers[:count]) for _ in range(arena.size.rounds)]
        late = _lateness(database, customers[:count], waiting=3 * len(customers))
    value = middle(rates)
    p95 = percentile(late, 0.95)
    return [
        Figure(
            "due rows claimed and decided",
            value,
            "rows/s",
            limit=middle(bare),
            baseline=tidy(eta.rate(min(count, 3_000))),
            aim="≥ 5,000/s",
            met=value >= 5_000,
        ),
        Figure(
            f"lateness of what is due, p95, {3 * len(customers):,} waiting",
            tidy(p95),
            "s",
            aim="< 2 s",
            met=p95 < 2,
        ),
    ]


# What there is to decide ----------------------------------------------------------------


@contextmanager
def _furnished(database: Database, customers: Sequence[UUID]) -> Iterator[None]:
    """Have one automation, and the consent of these customers to what it says."""
    state = {
        "consents": {
            "offers": {
                "state": "given",
                "entry": "bench",
                "occurred_at": "2026-01-01T00:00:00Z",
                "notice": "0" * 64,
            }
        }
    }
    with database.connect() as connection:
        connection.execute("DELETE FROM butler_due")
        connection.execute(
            "INSERT INTO customers_control"
            " (customer_id, entries, state, granted, objected, channels_off, topics_off)"
            " SELECT id, 1, %s, '{offers}', '{}', '{}', '{}' FROM unnest(%s::uuid[]) AS id"
            " ON CONFLICT (customer_id) DO UPDATE SET state = EXCLUDED.state",
            [json.dumps(state), list(customers)],
        )
    _load()
    stage.settle(database)
    try:
        yield
    finally:
        _clear(database)


def _load() -> None:
    from butler.models import Automation, AutomationVersion
    from customers.models import Purpose, Topic

    Purpose.objects.get_or_create(key="offers", defaults={"kind": "contact"})
    Topic.objects.get_or_create(key="offers")
    Automation.objects.get_or_create(key=AUTOMATION)
    AutomationVersion.objects.get_or_create(
        automation_id=AUTOMATION,
        number=1,
        defaults={
            "status": "live",
            "document": DOCUMENT,
            "digest": "0" * 64,
            "trigger": "event",
            "event_names": ["Bench"],
            "live_at": datetime(2026, 1, 1, tzinfo=UTC),
        },
    )


def _clear(database: Database) -> None:
    with database.connect() as connection, connection.transaction():
        # Decisions are kept for ever everywhere but here.
        connection.execute(
            "SELECT set_config('pgtrigger.ignore', array_agg(tgname)::text, true)"
            " FROM pg_trigger WHERE tgname LIKE 'pgtrigger%never_emptied%'"
        )
        connection.execute(
            "TRUNCATE butler_due, butler_message, butler_decision, butler_run CASCADE"
        )


def _fill(
    database: Database, customers: Sequence[UUID], occasion: str, *, over: float = 0.0
) -> None:
    """Make a run of each customer due: at noon, or spread over the seconds after it."""
    with database.connect() as connection:
        connection.execute(
            "WITH started AS ("
            " INSERT INTO butler_run (id, automation_id, version_id, customer_id, occasion, cause,"
            "  occurred_at, status, step, awaited, awaited_about, reason, created_at)"
            " SELECT gen_random_uuid(), version.automation_id, version.id, customer.id, %(occasion)s::text, '{}', %(noon)s,"
            "  'waiting', '0', '', '', '', now()"
            "  FROM unnest(%(ids)s::uuid[]) AS customer (id), butler_automationversion AS version"
            "  WHERE version.automation_id = %(key)s"
            " RETURNING id, customer_id)"
            " INSERT INTO butler_due (job, customer_id, key, facts, due_at, failed_reason)"
            " SELECT 'run', customer_id, id::text, '{}',"
            "  %(noon)s + random() * make_interval(secs => %(over)s::float8), '' FROM started",
            {
                "key": AUTOMATION,
                "occasion": occasion,
                "ids": list(customers),
                "over": over,
                "noon": NOON,
            },
        )


# How fast -------------------------------------------------------------------------------


def _decided(database: Database, customers: Sequence[UUID]) -> float:
    """Return rows a second, with as many tickers as cores, from the first claim to the last."""
    _clear(database)
    _fill(database, customers, "rate")
    stage.settle(database)
    with _tickers(database) as tickers:
        started = _go(tickers, seconds=0)
        for ticker in tickers:
            _told(ticker)
        took = time.monotonic() - started
    with database.connect() as connection:
        (decided,) = connection.execute(
            "SELECT count(*) FROM butler_decision WHERE outcome = 'send'"
        ).fetchone() or (0,)
    if decided != len(customers):
        raise Failed(f"{decided} of {len(customers)} were decided as they should")
    return len(customers) / took


def _bare(database: Database, customers: Sequence[UUID]) -> float:
    """Return rows a second that bare claims of 200 take, with as many connections."""
    _clear(database)
    _fill(database, customers, "bare")
    stage.settle(database)

    def take() -> None:
        with database.connect() as connection:
            while connection.execute(_BARE).rowcount:
                pass

    takers = [threading.Thread(target=take) for _ in range(TICKERS)]
    started = time.monotonic()
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()
    return len(customers) / (time.monotonic() - started)


def _lateness(database: Database, customers: Sequence[UUID], *, waiting: int) -> list[float]:
    """Return seconds between when rows were due and when they were decided, among many."""
    _clear(database)
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO butler_due (job, key, facts, due_at, failed_reason)"
            " SELECT 'run', 'waiting:' || n, '{}', %s + interval '1 day' * (1 + random() * 90),"
            " '' FROM generate_series(1, %s) AS n",
            [NOON, waiting],
        )
    stage.settle(database)
    seconds = max(2.0, len(customers) / 1_000)
    with _tickers(database) as tickers:
        _fill(database, customers, "late", over=seconds)
        _go(tickers, seconds=seconds)
        return [
            one
            for ticker in tickers
            for one in msgspec.json.decode(_told(ticker), type=list[float])
        ]


@contextmanager
def _tickers(database: Database) -> Iterator[list["subprocess.Popen[bytes]"]]:
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.ticker"],
            env={**database.env, "BUTLER_WAKES": "0"},
            cwd=stage.ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(TICKERS)
    ]
    try:
        for ticker in started:
            _told(ticker)
        yield started
    finally:
        for ticker in started:
            ticker.kill()
            ticker.communicate()


def _go(tickers: Sequence["subprocess.Popen[bytes]"], *, seconds: float) -> float:
    """Let them tick until nothing is due, for so many seconds at least; return when it began."""
    began = time.monotonic()
    for ticker in tickers:
        assert ticker.stdin
        ticker.stdin.write(msgspec.json.encode((NOON, began, seconds)) + b"\n")
        ticker.stdin.flush()
    return began


def _told(ticker: "subprocess.Popen[bytes]") -> bytes:
    assert ticker.stdout
    line = ticker.stdout.readline()
    if not line:
        raise Failed("a ticker ended")
    return line
