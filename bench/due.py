"""Measures how ticks claim and decide due rows of many customers, with their messages."""

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

from bench import eta, servers
from bench.figures import Figure, middle, percentile, tidy
from bench.load import BenchmarkFailed
from bench.servers import Database
from bench.testbed import Testbed

# The number of processes that tick: the cores of a small machine. Each claims batches of 200.
TICKERS = 2
AUTOMATION = "bench-due"
# A Wednesday at noon, outside all quiet hours.
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
# The limit: a minimal claim of 200 rows that deletes them.
_BARE_CLAIM = """
    DELETE FROM butler_due WHERE id IN (
        SELECT id FROM butler_due
         WHERE done_at IS NULL AND due_at <= '2027-04-14 12:01Z'
           AND (claimed_until IS NULL OR claimed_until < now())
         ORDER BY due_at LIMIT 200 FOR UPDATE SKIP LOCKED)"""


def figures(testbed: Testbed) -> list[Figure]:
    """Return the rate of decided due rows, and their lateness among many waiting rows."""
    database = testbed.large.target.database
    customers = [guest.customer_id for guest in testbed.large.target.guests]
    count = min(len(customers), 20_000 if testbed.size.seconds > 1 else 200)
    with _prepared(database, customers[:count]):
        rates = [_decide_rate(database, customers[:count]) for _ in range(testbed.size.rounds)]
        bare_rates = [_bare_rate(database, customers[:count]) for _ in range(testbed.size.rounds)]
        seconds_late = _lateness(database, customers[:count], waiting=3 * len(customers))
    value = middle(rates)
    p95 = percentile(seconds_late, 0.95)
    return [
        Figure(
            "due rows claimed and decided",
            value,
            "rows/s",
            limit=middle(bare_rates),
            baseline=tidy(eta.tasks_per_second(min(count, 3_000))),
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


# Preparation ----------------------------------------------------------------------------


@contextmanager
def _prepared(database: Database, customers: Sequence[UUID]) -> Iterator[None]:
    """Insert one automation, and the consents of these customers to its messages."""
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
            "INSERT INTO customers_consentstate"
            " (customer_id, entries, state, granted, objected, channels_off, topics_off)"
            " SELECT id, 1, %s, '{offers}', '{}', '{}', '{}' FROM unnest(%s::uuid[]) AS id"
            " ON CONFLICT (customer_id) DO UPDATE SET state = EXCLUDED.state",
            [json.dumps(state), list(customers)],
        )
    _load_automation()
    servers.vacuum(database)
    try:
        yield
    finally:
        _truncate(database)


def _load_automation() -> None:
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


def _truncate(database: Database) -> None:
    with database.connect() as connection, connection.transaction():
        # Decisions are append-only, so the triggers are disabled here.
        connection.execute(
            "SELECT set_config('pgtrigger.ignore', array_agg(tgname)::text, true)"
            " FROM pg_trigger WHERE tgname LIKE 'pgtrigger%never_emptied%'"
        )
        connection.execute(
            "TRUNCATE butler_due, butler_message, butler_decision, butler_run CASCADE"
        )


def _insert_due_runs(
    database: Database, customers: Sequence[UUID], occasion: str, *, spread_seconds: float = 0.0
) -> None:
    """Insert a due run for each customer, at noon or spread over the seconds after noon."""
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
                "over": spread_seconds,
                "noon": NOON,
            },
        )


# Rates and lateness ---------------------------------------------------------------------


def _decide_rate(database: Database, customers: Sequence[UUID]) -> float:
    """Return rows a second, with as many tickers as cores, from the first claim to the last."""
    _truncate(database)
    _insert_due_runs(database, customers, "rate")
    servers.vacuum(database)
    with _tickers(database) as tickers:
        started = _start_ticking(tickers, seconds=0)
        for ticker in tickers:
            _read_line(ticker)
        seconds = time.monotonic() - started
    with database.connect() as connection:
        (decided,) = connection.execute(
            "SELECT count(*) FROM butler_decision WHERE outcome = 'send'"
        ).fetchone() or (0,)
    if decided != len(customers):
        raise BenchmarkFailed(f"only {decided} of {len(customers)} due rows led to a message")
    return len(customers) / seconds


def _bare_rate(database: Database, customers: Sequence[UUID]) -> float:
    """Return rows a second of the minimal claims, with the same number of connections."""
    _truncate(database)
    _insert_due_runs(database, customers, "bare")
    servers.vacuum(database)

    def claim() -> None:
        with database.connect() as connection:
            while connection.execute(_BARE_CLAIM).rowcount:
                pass

    claimers = [threading.Thread(target=claim) for _ in range(TICKERS)]
    started = time.monotonic()
    for claimer in claimers:
        claimer.start()
    for claimer in claimers:
        claimer.join()
    return len(customers) / (time.monotonic() - started)


def _lateness(database: Database, customers: Sequence[UUID], *, waiting: int) -> list[float]:
    """Return the seconds from the due time of each row to its decision, among waiting rows."""
    _truncate(database)
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO butler_due (job, key, facts, due_at, failed_reason)"
            " SELECT 'run', 'waiting:' || n, '{}', %s + interval '1 day' * (1 + random() * 90),"
            " '' FROM generate_series(1, %s) AS n",
            [NOON, waiting],
        )
    servers.vacuum(database)
    seconds = max(2.0, len(customers) / 1_000)
    with _tickers(database) as tickers:
        _insert_due_runs(database, customers, "late", spread_seconds=seconds)
        _start_ticking(tickers, seconds=seconds)
        return [
            seconds_late
            for ticker in tickers
            for seconds_late in msgspec.json.decode(_read_line(ticker), type=list[float])
        ]


@contextmanager
def _tickers(database: Database) -> Iterator[list["subprocess.Popen[bytes]"]]:
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.ticker"],
            env={**database.env, "BUTLER_NOTIFY_WORKERS": "0"},
            cwd=servers.ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(TICKERS)
    ]
    try:
        for ticker in started:
            _read_line(ticker)
        yield started
    finally:
        for ticker in started:
            ticker.kill()
            ticker.communicate()


def _start_ticking(tickers: Sequence["subprocess.Popen[bytes]"], *, seconds: float) -> float:
    """Let the tickers run for at least these seconds, until no row is due; return the start."""
    began = time.monotonic()
    for ticker in tickers:
        assert ticker.stdin
        ticker.stdin.write(msgspec.json.encode((NOON, began, seconds)) + b"\n")
        ticker.stdin.flush()
    return began


def _read_line(ticker: "subprocess.Popen[bytes]") -> bytes:
    assert ticker.stdout
    line = ticker.stdout.readline()
    if not line:
        raise BenchmarkFailed("a ticker ended")
    return line
