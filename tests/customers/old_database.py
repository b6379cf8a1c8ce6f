"""A database of release 0.1, filled row by row as that release stored them, and carried over.

`python -m tests.customers.old_database old` makes its tables in the database of DATABASE_URL.
`… new` migrates it, groups its identifiers, stores new events, and prints what came out as JSON.
`… check` looks for anything that is left to change.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
from uuid_utils.compat import uuid7

ROOT = Path(__file__).parent.parent.parent
NOON = datetime(2025, 11, 21, 12, 0, tzinfo=UTC)
LAST_MIGRATIONS = {"butler": "0013", "channels": "0001", "customers": "0013"}


class OldDatabase:
    """Writes rows as release 0.1 did."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection

    def insert(self, table: str, **columns: object) -> int:
        names, places = ", ".join(columns), ", ".join(["%s"] * len(columns))
        statement = f"INSERT INTO {table} ({names}) VALUES ({places})"
        if "id" not in columns and table != "customers_event":
            statement += " RETURNING id"
        cursor = self.connection.execute(statement, list(columns.values()))
        return cursor.fetchone()[0] if cursor.description else 0

    def source(self, name: str, channel: str = "app", *, is_shared: bool = False) -> int:
        return self.insert(
            "customers_source",
            name=name,
            channel=channel,
            is_shared=is_shared,
            default_region="",
            webhook_secrets=[],
        )

    def record(self, canonical: UUID | None = None) -> UUID:
        id_ = uuid7()
        self.insert("customers_customer", id=id_, canonical_id=canonical, created_at=NOON)
        return id_

    def identifier(
        self, kind: str, value: str, customer: UUID | None, *, files: UUID | None = None, trust=2
    ) -> int:
        """Store an identifier of a live record; `files` is the record that it files under."""
        return self.insert(
            "customers_identifier",
            kind=kind,
            value=value,
            trust=trust,
            is_shared=customer is None,
            first_seen_at=NOON,
            customer_id=customer,
            record_id=files,
        )

    def event(
        self,
        source: int,
        log: UUID,
        ids: Sequence[int],
        *,
        kind: str = "track",
        name: str = "",
        about: str = "",
        origin: UUID | None = None,
        trust: int = 2,
        links: bool = True,
        days: int = 0,
    ) -> None:
        """Store an event of these identifiers, and the links of the first one with the others."""
        row = self.connection.execute(
            "UPDATE customers_customer SET version = version + 1 WHERE id = %s RETURNING version",
            [log],
        ).fetchone()
        at = NOON + timedelta(days=days)
        self.insert(
            "customers_event",
            customer_id=log,
            version=row[0],
            source_id=source,
            message_id=str(uuid4()),
            message_key=uuid4(),
            body_hash=uuid4(),
            kind=kind,
            name=name,
            about=about,
            trust=trust,
            actor="",
            identifier_ids=list(ids),
            occurred_at=at,
            received_at=at + timedelta(minutes=1),
            body=json.dumps({"type": kind}),
            origin_id=origin,
        )
        for other in ids[1:] if links else ():
            self.link(ids[0], other, source, trust=trust, days=days)

    def link(
        self, first: int, second: int, source: int, *, kind="seen", trust=2, actor="", days=0
    ) -> None:
        """Store a link, unless one source stated it before."""
        self.connection.execute(
            "INSERT INTO customers_link"
            " (left_id, right_id, kind, trust, source_id, actor, recorded_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [
                *sorted((first, second)),
                kind,
                trust,
                source,
                actor,
                NOON + timedelta(days=days, minutes=1),
            ],
        )

    def login(self, email: str, record: UUID, mailbox: int) -> None:
        """Store a customer who signed in with a code."""
        self.insert(
            "customers_user",
            email=email,
            record_id=record,
            password="!",
            is_superuser=False,
            name="",
            language="en",
            is_active=True,
            is_staff=False,
        )
        owner = self.connection.execute(
            "SELECT customer_id FROM customers_identifier WHERE id = %s", [mailbox]
        ).fetchone()[0]
        origin = None if owner == record else record
        self.event(1, owner, [mailbox], kind="identify", name="Address Proved", origin=origin)


@contextmanager
def old_database(url: str) -> Iterator[tuple[str, psycopg.Connection]]:
    """Yield the address of a new database with the tables of release 0.1, and a connection."""
    name = f"old_{uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            head, _, query = url.partition("?")
            old_url = f"{head.rpartition('/')[0]}/{name}{'?' if query else ''}{query}"
            run("old", old_url)
            with psycopg.connect(old_url, autocommit=True) as connection:
                yield old_url, connection
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def run(stage: str, url: str) -> dict[str, object]:
    """Run a stage of this module in a separate process; return its output."""
    finished = subprocess.run(
        [sys.executable, "-m", "tests.customers.old_database", stage],
        env={**os.environ, "DATABASE_URL": url, "STATEMENT_TIMEOUT": "0"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=3_000,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-4_000:]
    # Log lines also go to standard output.
    report = next(line for line in finished.stdout.splitlines() if line.startswith("{"))
    printed: dict[str, object] = json.loads(report)
    return printed


def _main(stage: str) -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.db import connection

    stages = {"old": _make_old, "new": _carry_over, "check": _check_small}
    print(json.dumps(stages[stage]()))
    # The threads of the pool would delay the end of the process.
    connection.close_pool()


def _make_old() -> dict[str, object]:
    from django.core.management import call_command

    for app, migration in LAST_MIGRATIONS.items():
        call_command("migrate", app, migration, verbosity=0)
    return {}


def _carry_over() -> dict[str, object]:
    """Migrate, group the identifiers, and store new events; return rows, lines and seconds."""
    from time import monotonic

    from customers.models import Review

    seconds: dict[str, float] = {}

    def timed(step: str, *args: str) -> list[str]:
        started = monotonic()
        lines = _call(*args)
        seconds[step] = round(monotonic() - started, 1)
        return lines

    timed("migrate", "migrate", "--verbosity", "0")
    report: dict[str, object] = {"seconds": seconds, "links": _links(), "numbers": _numbers()}
    report["decisions"] = _rows(
        "SELECT kind, first_id, second_id, actor FROM customers_manualdecision ORDER BY id"
    )
    report["refiled"] = _rows("SELECT count(*) FROM customers_refiledevent")[0][0]
    report["differences"] = _first_differences()
    report["dry run"] = timed("dry run", "rebuild", "--identities", "--dry-run")
    report["rebuild"] = timed("rebuild", "rebuild", "--identities")
    report["check"] = timed("check", "rebuild", "--check")
    report["records"] = _numbers()
    report["reviews"] = Review.objects.filter(status="open").count()
    report["sign-ins"] = _sign_in()
    report["new event"] = _store_new_event()
    report["new address"] = _state_new_address()
    return report


def _first_differences() -> list[str]:
    """Return how the first 5,000 records differ from their logs."""
    from itertools import islice

    from customers import rebuild

    batches = islice(rebuild.live_ids(), 10)
    return [str(difference) for ids in batches for difference in rebuild.find_differences(ids)]


def _check_small() -> dict[str, object]:
    """Look for anything left to change in a small database."""
    return {
        "second run": _call("rebuild", "--identities", "--dry-run"),
        "check": _call("rebuild", "--check"),
    }


def _call(*args: str) -> list[str]:
    """Run a command; return what it printed, and the sentence with which it failed."""
    from django.core.management import CommandError, call_command

    out = StringIO()
    try:
        call_command(*args, stdout=out, stderr=StringIO())
    except CommandError as error:
        return [*out.getvalue().splitlines(), str(error)]
    return out.getvalue().splitlines()


def _rows(statement: str) -> list[list[object]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)
        return [
            [str(value) if isinstance(value, UUID) else value for value in row] for row in cursor
        ]


def _links() -> list[list[object]]:
    """Return the links as [source, kind, evidence, state, both ends, time]; few for the report."""
    return _rows("""
        SELECT source.name, link.kind, link.evidence, link.state,
               first.kind || ' ' || first.value, second.kind || ' ' || second.value,
               link.occurred_at::text
          FROM customers_link AS link
          JOIN customers_source AS source ON source.id = link.source_id
          JOIN customers_identifier AS first ON first.id = link.first_id
          JOIN customers_identifier AS second ON second.id = link.second_id
         ORDER BY link.id LIMIT 1000""")


def _numbers() -> list[list[object]]:
    """Return [kind, value, live record, number of events filed on it], few for the report."""
    return _rows("""
        SELECT kind, value, customer_id,
               (SELECT count(*) FROM customers_filed_events(identifier.record_id))
          FROM customers_identifier AS identifier ORDER BY id LIMIT 1000""")


def _sign_in() -> list[list[object]]:
    """Sign in the first customers again: [email, whether the login kept its record]."""
    from django.utils import timezone

    from customers.actions.sign_in import verify_code
    from customers.actions.sign_in_codes import issue_code
    from customers.models import User

    logins = []
    for user in User.objects.order_by("pk")[:20]:
        now = timezone.now()
        issued = issue_code(email=user.email, network=user.email, now=now)
        signed_in = verify_code(handle=issued.handle, code=issued.code, language="en", now=now)
        logins.append([user.email, signed_in.record_id == user.record_id])
    return logins


def _store_new_event() -> str:
    """Store an event with the first number of the source "shop"; return its live record."""
    from customers.models import Source
    from tests import factories

    shop = Source.objects.filter(name="shop").first()
    if shop is None:
        return ""
    stored = factories.record(factories.incoming_event(("user_id", "6")), by=factories.sender(shop))
    return str(stored.outcomes[0].customer_id)


def _state_new_address() -> list[str]:
    """Let the shop state another address of its customer 6; return the states of its addresses."""
    from customers.models import Link, Source
    from tests import factories

    shop = Source.objects.filter(name="shop").first()
    if shop is None:
        return []
    moved = factories.identify(("user_id", "6"), ("email", "moved@mail.nl"))
    factories.record(moved, by=factories.sender(shop))
    addresses = Link.objects.filter(second__kind="email") | Link.objects.filter(first__kind="email")
    number = f"{shop.pk}/6"
    stated = addresses.filter(first__value=number) | addresses.filter(second__value=number)
    return [
        f"{link.first.value} {link.second.value} {link.state}" for link in stated.order_by("pk")
    ]


if __name__ == "__main__":
    _main(sys.argv[1])
