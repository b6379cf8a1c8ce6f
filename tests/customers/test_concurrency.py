"""Many writers, few customers, for some seconds: then everything promised has to be true."""

import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest
from django.db import OperationalError, connection, transaction

from customers import rebuild, sql
from customers.db import retry
from customers.events.log import message_key
from customers.models import Customer, Event, Identifier, LedgerEntry, Merge, Space
from customers.types import IncomingEvent, Sender
from tests import conftest, factories, size
from tests.customers import consent_helpers
from tests.customers.graph import misplaced_identifiers, misplaced_orders
from tests.factories import incoming_event, record
from tests.postgres_statistics import count_deadlocks

WRITERS = 4
SECONDS = size.examples(6, long=120)
# On a busy machine a rare act takes longer to succeed once: each writer goes on until it has.
REQUIRED_ACTS = ("send", "undo", "order", "speak")
EXTRA_SECONDS = 40.0


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_acknowledged_events_of_concurrent_writers_are_stored(tmp_path):
    # The server and the kiosk use the same numbers of customers.
    space = Space.objects.create(name="company")
    sources = [
        factories.source(is_shared=at == 2, **({} if at == 1 else {"space": space})).id
        for at in range(3)
    ]
    factories.record(*(factories.incoming_event() for _ in range(3)))
    consent_helpers.house()
    before = count_deadlocks()
    promises, tallies = _run_writers(tmp_path, sources)

    print("writers:", *tallies, sep="\n  ")
    stand = _where_each_message_stands()
    accepted = [key for key, (status, *_) in promises if status == "accepted"]
    assert len(accepted) == len(set(accepted)), "accepted twice"
    for key, (status, customer, version) in promises:
        if status in ("accepted", "duplicate"):
            # A message that occurs twice in a batch is only reported as a duplicate.
            assert stand[key] == (customer or stand[key][0], version or stand[key][1])
    for ids in rebuild.live_ids():
        assert rebuild.find_differences(ids) == []
    assert misplaced_identifiers() == []
    assert misplaced_orders() == []
    _assert_pointers_are_those_of_the_ledger()
    _assert_each_word_is_on_one_chain_and_one_log()
    # Where identifiers nobody saw before come in twice at once, one may still happen.
    assert count_deadlocks() - before <= 2
    assert all(sum(tally["done"][act] for tally in tallies) for act in REQUIRED_ACTS)


def _run_writers(folder: Path, sources: list[int]) -> tuple[list, list[dict]]:
    env = os.environ | {
        "DATABASE_URL": conftest.database_url(connection.settings_dict),
        "DEBUG": "1",
        "LOG_LEVEL": "ERROR",
    }
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.customers.concurrent_writer", str(folder), str(WRITERS)]
    process = subprocess.run(
        [*command, *map(json.dumps, (sources, SECONDS, REQUIRED_ACTS, EXTRA_SECONDS))],
        env=env,
        cwd=root,
        capture_output=True,
        text=True,
        timeout=SECONDS + EXTRA_SECONDS + 60,
    )
    print(process.stderr)
    assert process.returncode == 0, process.stderr[-6000:]
    promises, tallies = [], []
    for number in range(WRITERS):
        *lines, tally = map(json.loads, (folder / f"writer-{number}").read_text().splitlines())
        promises += [
            (message_key(source, message, is_public=is_public), rest)
            for source, is_public, message, *rest in lines
        ]
        tallies.append(tally)
    return promises, tallies


def _where_each_message_stands() -> dict[str, tuple[str, int]]:
    rows = Event.objects.values_list("message_key", "customer_id", "version")
    return {key.hex: (str(customer), version) for key, customer, version in rows}


def _assert_pointers_are_those_of_the_ledger() -> None:
    pointers = dict(Customer.objects.exclude(canonical=None).values_list("id", "canonical_id"))
    merges = dict(Merge.objects.filter(undone_at=None).values_list("record_id", "merged_into_id"))
    assert merges.items() <= pointers.items()


def _assert_each_word_is_on_one_chain_and_one_log() -> None:
    chain_places = LedgerEntry.objects.values_list("entry_id", "record_id", "version")
    events = Event.objects.filter(kind="control").values_list("body", "customer_id", "version")
    on_logs = [(body["properties"]["entry"], *place) for body, *place in events]
    assert sorted((str(entry), *place) for entry, *place in chain_places) == sorted(on_logs)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_writer_that_meets_a_locked_record_releases_its_locks_and_retries():
    """A writer that waits while it holds a lock can wait for a writer that needs this lock."""
    by = factories.sender()
    noor, phone = ("user_id", "noor"), ("anonymous_id", "phone")
    joined = factories.customer(phone, by=by)
    locked_record = factories.customer(noor, phone, by=by)
    assert joined.id < locked_record.id

    with transaction.atomic(), connection.cursor() as cursor:
        # Below the second after which Postgres looks for a deadlock.
        cursor.execute("SET LOCAL lock_timeout = 300")
        sql.run("lock_records", {"ids": [joined.id]})
        other = Thread(target=_in_thread, args=(incoming_event(noor, ("card", "C-1")), by))
        other.start()
        other.join(0.4)
        assert sql.rows("lock_records", {"ids": [locked_record.id]})
    other.join(10)

    assert Identifier.objects.get(kind="card").customer == locked_record


@pytest.mark.django_db(transaction=True)
def test_endless_conflict_raises_an_operational_error():
    def lose() -> None:
        raise retry.RetryTransaction

    with pytest.raises(OperationalError, match="in every attempt"):
        retry.on_conflict(lose)


@pytest.mark.django_db(transaction=True)
def test_inner_work_that_waits_for_a_record_repeats_the_outer_work_too():
    """The locks of the outer work would make others wait, and they could hold that record."""
    customer = factories.customer(("user_id", "noor"))
    attempts: list[str] = []

    def inner() -> None:
        attempts.append("inner")
        if len(attempts) == 2:
            raise retry.RetryTransaction("a record is locked", [customer.id])

    def outer() -> None:
        attempts.append("outer")
        retry.on_conflict(inner)

    retry.on_conflict(outer)

    assert attempts == ["outer", "inner", "outer", "inner"]


def _in_thread(event: IncomingEvent, by: Sender) -> None:
    try:
        record(event, by=by)
    finally:
        connection.close()
