"""Everything that is measured, side by side: a large and a small Butler, and the baseline."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from bench import bodies, stage
from bench.bodies import Context
from bench.size import Size
from bench.stage import Database, Server

BASELINE_KEY = "an-afternoon"
# Customers of the baseline: enough that its indexes are of a real size.
BASELINE_CUSTOMERS = 20_000


@dataclass(frozen=True, slots=True)
class Butler:
    """One Butler: its database, its web server, and who is in it."""

    context: Context
    web: Server


@dataclass(frozen=True, slots=True)
class Arena:
    size: Size
    large: Butler
    small: Butler
    baseline: Server
    baseline_customers: list[UUID]


@contextlib.contextmanager
def built(size: Size) -> Iterator[Arena]:
    """Make the databases, fill them, and start what serves them."""
    baseline = stage.database("bench_baseline", settings="bench.baseline.settings")
    with contextlib.ExitStack() as stack:
        large = _butler(stack, size.customers, size.events)
        small = _butler(stack, size.small_customers, size.small_events)
        customers = _furnish(baseline, large.context)
        server = stack.enter_context(
            stage.serving("web", baseline, target="bench.baseline.wsgi:application")
        )
        yield Arena(size, large, small, server, customers)


def name_of(customers: int) -> str:
    """Name a database by its size, so that a later run with as many finds it filled."""
    return f"bench_{customers}"


def _butler(stack: contextlib.ExitStack, customers: int, events: int) -> Butler:
    database = stage.database(name_of(customers))
    stage.check_durability(database)
    database.manage("migrate", "--verbosity=0")
    print(
        database.run("-m", "bench.synthetic", f"--customers={customers}", f"--events={events}"),
        end="",
    )
    key = stage.make_key(database)
    stage.settle(database)
    web = stack.enter_context(stage.serving("web", database))
    return Butler(bodies.context(database, key), web)


def _furnish(database: Database, context: Context) -> list[UUID]:
    """Give the baseline the same customers, some of them, by the same ids and names."""
    database.manage("migrate", "--run-syncdb", "--verbosity=0")
    guests = context.guests[:BASELINE_CUSTOMERS]
    with database.connect() as connection, connection.transaction():
        connection.execute(
            "INSERT INTO baseline_source (name, key) VALUES ('bench', %s) ON CONFLICT DO NOTHING",
            [BASELINE_KEY],
        )
        ids, names = [guest.customer_id for guest in guests], [guest.user_id for guest in guests]
        connection.execute(
            "INSERT INTO baseline_customer (id, version, created_at)"
            " SELECT id, 0, now() FROM unnest(%s::uuid[]) AS id ON CONFLICT DO NOTHING",
            [ids],
        )
        connection.execute(
            "INSERT INTO baseline_identifier (customer_id, kind, value)"
            " SELECT id, 'user_id', name FROM unnest(%s::uuid[], %s::text[]) AS guest (id, name)"
            " ON CONFLICT DO NOTHING",
            [ids, names],
        )
        connection.execute(
            "INSERT INTO baseline_trait (customer_id, name, value, occurred_at)"
            " SELECT id, name, '\"Odense\"', now() FROM unnest(%s::uuid[]) AS id,"
            " unnest(ARRAY['city', 'name', 'email', 'language']) AS name ON CONFLICT DO NOTHING",
            [ids],
        )
    stage.settle(database)
    return ids


def use_in_process(database: Database) -> None:
    """Let this process call Butler itself, on this database."""
    os.environ |= {"DATABASE_URL": database.url, "DJANGO_SETTINGS_MODULE": "config.settings"}
    import django

    django.setup()


def leave_process() -> None:
    """Close what this process holds open; the pool's threads would keep it from ending."""
    from django.db import connections

    for connection in connections.all():
        connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's own
