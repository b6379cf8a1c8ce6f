"""Shows how Postgres runs the statements of the hot path: python -m bench.explain [statement …].

It uses the database of the benchmarks, on the server in DATABASE_URL, with real values. It prepares
the statements as the processes do, and rolls back their changes.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from random import Random
from typing import Any
from uuid import UUID, uuid4

import msgspec
import psycopg

from bench import servers, size, testbed, traffic
from bench.traffic import BATCH, Guest, Target
from customers.events.arrival import arrival_number

_NAMED_PARAMETER = re.compile(r"%\((\w+)\)s")
# Postgres decides about a generic plan at the sixth execution.
_EXECUTIONS = 7


def main(names: list[str]) -> None:
    database = servers.create_database(testbed.database_name(size.chosen().customers))
    testbed.setup_django(database)
    target = traffic.read_target(database, key="")
    summary: list[str] = []
    with psycopg.connect(database.url) as connection:
        for name, params in _statements(target, Random("explain")):
            if not names or any(part in name for part in names):
                plan = _explain(connection, _text(name), params)
                print(f"\n== {name}\n{plan}")
                summary.append(f"{name:38} {_cost(plan)}")
                connection.rollback()
    print("\n".join(["", *summary]))


def _cost(plan: str) -> str:
    """Return the time of a plan, and the number of pages it used."""
    time = plan.partition("Execution Time: ")[2]
    pages = re.search(r"Buffers: shared ([^\n]*)", plan)
    return f"{time:>10}  {pages[1] if pages else ''}"


def _text(name: str) -> str:
    from butler import sql as butler
    from channels.live import postgres
    from customers import sql

    statement = name.split(" ")[0]
    if statement.startswith("butler:"):
        return butler.load(statement.removeprefix("butler:"))
    if statement.startswith("live:"):
        return postgres.load_statement(statement.removeprefix("live:")).decode()
    return sql.load(statement)


def _explain(
    connection: "psycopg.Connection[Any]", statement: str, params: Mapping[str, object]
) -> str:
    """Prepare the statement, run it until its plan does not change, and return that plan."""
    names = list(dict.fromkeys(_NAMED_PARAMETER.findall(statement)))
    positional = _NAMED_PARAMETER.sub(lambda plan: f"${names.index(plan[1]) + 1}", statement)
    values = [params[name] for name in names]
    connection.execute("DEALLOCATE ALL")
    connection.execute(f"PREPARE hot AS {positional.replace('%%', '%')}")
    arguments = ", ".join(psycopg.sql.Literal(value).as_string(connection) for value in values)
    lines: list[str] = []
    for _ in range(_EXECUTIONS):
        connection.execute("SAVEPOINT here")
        plan = connection.execute(f"EXPLAIN (ANALYZE, BUFFERS) EXECUTE hot({arguments})")
        lines = [line for (line,) in plan.fetchall()]
        connection.execute("ROLLBACK TO here")
    return "\n".join(lines)


def _statements(target: Target, random: Random) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield the names and parameters of the hot statements, for a batch and for one event."""
    for count in (BATCH, 1):
        guests = _sample_guests(target, random, count)
        identifiers = [["user_id", f"{target.source_id}/{guest.user_id}", 2] for guest in guests]
        identifiers += [["anonymous_id", guest.device, 1] for guest in guests if guest.has_device]
        label = f"({count} event{'s' * (count > 1)})"
        # Nobody of the sample was erased.
        identifiers = [[*key, "00", "01"] for key in identifiers]
        yield f"resolve_identifiers {label}", {"keys": _json(identifiers)}
        keys = [blake2b(uuid4().bytes, digest_size=16).hexdigest() for _ in guests]
        yield f"find_stored_messages {label}", {"keys": f"{{{','.join(keys)}}}"}
        yield f"append_events {label}", _append_params(target, guests, keys)
        yield f"upsert_traits {label}", {"traits": _json(_trait_rows(target, guests, keys))}
    today = datetime.now(UTC).date()
    guest = random.choice(list(target.guests))
    yield "read_record", {"id": guest.customer_id, "today": today}
    yield (
        "read_customer_version",
        {"id": guest.customer_id, "today": today, "zone": "Europe/Amsterdam"},
    )
    yield (
        "read_timeline",
        {
            "logs": [guest.customer_id],
            "bounds": [2**62],
            "filed_logs": [guest.customer_id],
            "own": [guest.customer_id],
            "live_id": guest.customer_id,
            "at_version": 2**62,
            "limit": 51,
        },
    )
    yield "read_source_key", {"digest": bytes(32)}
    streamed_guests = _sample_guests(target, random, 50)
    yield (
        "live:read_events (50 streams)",
        {
            "customer_ids": [str(guest.customer_id) for guest in streamed_guests],
            "after_versions": [0] * len(streamed_guests),
            "page_size": 100,
            "max_bytes": 1_000_000,
        },
    )
    yield (
        "live:read_customer_versions (500 streams)",
        {"customer_ids": [str(guest.customer_id) for guest in _sample_guests(target, random, 500)]},
    )
    yield from _outgoing_statements(target, random)
    yield from _scheduling_statements()


def _outgoing_statements(target: Target, random: Random) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield the statements that send messages."""
    from butler.decisions.inputs import current_windows
    from butler.decisions.relations import REACH

    now = datetime.now(UTC)
    for count in (25, 1):
        ids = [guest.customer_id for guest in _sample_guests(target, random, count)]
        label = f"({count} customer{'s' * (count > 1)})"
        facts = {"ids": ids, "windows": current_windows(now), "since": now - REACH}
        yield f"butler:read_decision_facts {label}", facts
        yield f"butler:lock_customers {label}", {"ids": sorted(ids)}
    (guest,) = _sample_guests(target, random, 1)
    yield "butler:claim_messages", {"channel": "email", "now": now, "limit": 25}
    yield "butler:claim_due", {"now": now, "until": now + REACH, "limit": 200}
    yield "butler:find_deliveries_in_flight", {"customer": guest.customer_id}


def _scheduling_statements() -> Iterator[tuple[str, dict[str, object]]]:
    """Yield the statements that find customers by a date."""
    day = {
        "upcoming_date": "2027-04-21",
        "action_date": "2027-04-21",
        "month": 4,
        "day_of_month": 21,
        "month_day": "04-21",
    }
    params = {
        "automation": "birthday",
        "days": _json([day]),
        "customer": UUID(int=0),
        "about": "",
        "limit": 2000,
    }
    yield "butler:find_upcoming_members", params
    yield "butler:find_upcoming_traits", params | {"name": "birth_date", "month_days": ["04-21"]}


def _sample_guests(target: Target, random: Random, count: int) -> list[Guest]:
    """Return `count` different guests, or all if there are fewer."""
    return random.sample(list(target.guests), min(count, len(target.guests)))


def _append_params(target: Target, guests: Any, keys: list[str]) -> dict[str, object]:
    now = datetime.now(UTC)
    writer = traffic.EventWriter(target, "explain")
    events = [
        {
            "customer_id": guest.customer_id,
            "version": 10_000_000,
            "origin_id": None,
            "message_id": key,
            "message_key": key,
            "body_hash": key,
            "kind": "track",
            "name": "Ride Entered",
            "about": "",
            "actor": "",
            "identifier_ids": [guest.identifier_id],
            "occurred_at": now,
            "arrival": arrival_number(now, place),
            "body": msgspec.Raw(writer.event(guest)),
        }
        for place, (guest, key) in enumerate(zip(guests, keys, strict=True))
    ]
    return {
        "events": _json(events),
        "source_id": target.source_id,
        "evidence": 2,
        "received_at": now,
    }


def _trait_rows(target: Target, guests: Any, keys: list[str]) -> list[dict[str, object]]:
    now = datetime.now(UTC)
    return [
        {
            "customer_id": guest.customer_id,
            "name": "city",
            "value": "Odense",
            "evidence": 2,
            "source_id": target.source_id,
            "occurred_at": now,
            "arrival": arrival_number(now, place),
            "message_key": key,
        }
        for place, (guest, key) in enumerate(
            sorted(zip(guests, keys, strict=True), key=lambda pair: pair[0].customer_id)
        )
    ]


def _json(value: object) -> str:
    from customers import sql

    return sql.json(value)


if __name__ == "__main__":
    main(sys.argv[1:])
