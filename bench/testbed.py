"""The testbed of the benchmarks: a large and a small Butler, and the baseline."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from bench import servers, traffic
from bench.servers import Database, Server
from bench.size import Size
from bench.traffic import Target

BASELINE_KEY = "an-afternoon"
# Customers of the baseline: enough for indexes of a realistic size.
BASELINE_CUSTOMERS = 20_000


@dataclass(frozen=True, slots=True)
class Butler:
    """One Butler: its web server, and the data for requests to it."""

    target: Target
    web: Server


@dataclass(frozen=True, slots=True)
class Testbed:
    size: Size
    large: Butler
    small: Butler
    baseline: Server
    baseline_customers: list[UUID]


@contextlib.contextmanager
def build(size: Size) -> Iterator[Testbed]:
    """Create the databases, fill them, and start their servers."""
    baseline = servers.create_database("bench_baseline", settings="bench.baseline.settings")
    with contextlib.ExitStack() as stack:
        large = _butler(stack, size.customers, size.events)
        small = _butler(stack, size.small_customers, size.small_events)
        customers = _fill_baseline(baseline, large.target)
        server = stack.enter_context(
            servers.running_server("web", baseline, application="bench.baseline.wsgi:application")
        )
        yield Testbed(size, large, small, server, customers)


def database_name(customers: int) -> str:
    """Return the name of a database by its size, so that a later run can use it again."""
    return f"bench_{customers}"


def _butler(stack: contextlib.ExitStack, customers: int, events: int) -> Butler:
    database = servers.create_database(database_name(customers))
    servers.check_durability(database)
    database.manage("migrate", "--verbosity=0")
    print(
        database.run("-m", "bench.synthetic", f"--customers={customers}", f"--events={events}"),
        end="",
    )
    key = servers.create_key(database)
    servers.vacuum(database)
    web = stack.enter_context(servers.running_server("web", database))
    return Butler(traffic.read_target(database, key), web)


def _fill_baseline(database: Database, target: Target) -> list[UUID]:
    """Insert some of the same customers into the baseline, with the same ids and names."""
    database.manage("migrate", "--run-syncdb", "--verbosity=0")
    guests = target.guests[:BASELINE_CUSTOMERS]
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
    servers.vacuum(database)
    return ids


def setup_django(database: Database) -> None:
    """Set Django up in this process, on this database."""
    os.environ |= {"DATABASE_URL": database.url, "DJANGO_SETTINGS_MODULE": "config.settings"}
    import django

    django.setup()


def close_pools() -> None:
    """Close the connection pools, because their threads would keep this process running."""
    from django.db import connections

    for connection in connections.all():
        connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's own
