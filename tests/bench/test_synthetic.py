"""The synthetic rows equal those that ingestion stores for the same events."""

import json
from datetime import timedelta
from io import StringIO

import pgtrigger
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from bench.synthetic import generate
from bench.synthetic.command import Command
from bench.synthetic.generate import Plan
from channels.ingest import segment
from channels.ingest.segment import RequestContext
from customers import ingest
from customers.models import Customer, Event, Identifier, Link, Order, Source, Trait
from customers.types import IncomingEvent, Sender

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SMALL = {"customers": 60, "events": 600}


def _generate(**options) -> str:
    output = StringIO()
    call_command(Command(), stdout=output, **{**SMALL, **options})
    return output.getvalue()


def _value_by_record() -> dict:
    """Name the records by what is known of them, since their ids are nobody's choice."""
    identifiers = Identifier.objects.filter(record__isnull=False)
    return {identifier.record_id: identifier.value for identifier in identifiers}


def _all_rows() -> dict[str, list]:
    """Read all tables, without ids and without when we wrote."""
    value_by_record = _value_by_record()

    def values(row, fields: str) -> tuple:
        return tuple(getattr(row, field) for field in fields.split())

    value_by_identifier = dict(Identifier.objects.values_list("id", "value"))
    return {
        "customers": sorted(
            (
                value_by_record[customer.id],
                customer.version,
                customer.canonical_id,
                customer.created_at,
                customer.last_seen_at,
            )
            for customer in Customer.objects.all()
        ),
        "identifiers": sorted(
            (
                identifier.kind,
                identifier.value,
                identifier.evidence,
                value_by_record[identifier.customer_id],
                identifier.record_id is None,
                identifier.best_evidence,
                identifier.first_seen_at,
            )
            for identifier in Identifier.objects.all()
        ),
        "links": sorted(
            (
                *sorted((value_by_identifier[link.first_id], value_by_identifier[link.second_id])),
                *values(link, "kind evidence source_id state occurred_at arrival"),
            )
            for link in Link.objects.all()
        ),
        "events": sorted(
            (
                value_by_record[event.customer_id],
                event.version,
                [value_by_identifier[identifier] for identifier in event.identifier_ids],
                str(event.origin_id),
                *values(
                    event,
                    "source_id message_id message_key body_hash kind name about evidence actor",
                ),
                event.occurred_at,
                event.received_at,
                event.arrival,
                json.dumps(event.body, sort_keys=True),
            )
            for event in Event.objects.all()
        ),
        "traits": sorted(
            (
                value_by_record[trait.customer_id],
                trait.name,
                trait.value,
                *values(trait, "evidence source_id occurred_at arrival message_key"),
            )
            for trait in Trait.objects.all()
        ),
        "orders": sorted(
            (
                value_by_record[order.customer_id],
                order.number,
                json.dumps(order.lines),
                *values(
                    order, "status total visit_date version placed_at changed_at changed_by details"
                ),
            )
            for order in Order.objects.all()
        ),
    }


def _truncate() -> None:
    with pgtrigger.ignore("customers.Event:event_is_never_emptied"), connection.cursor() as cursor:
        cursor.execute("TRUNCATE customers_customer, customers_event CASCADE")


def _resend_events() -> None:
    """Empty the tables and send every event through the front door, as it was received."""
    events = list(Event.objects.order_by("received_at", "customer", "version"))
    channels = dict(Source.objects.values_list("id", "channel"))
    _truncate()
    for event in events:
        sender = Sender(
            event.source_id, "", channels[event.source_id], is_trusted=event.evidence == 2
        )
        frame = RequestContext(received_at=event.received_at, is_trusted=sender.is_trusted)
        ingested = segment.read_event(json.dumps(event.body).encode(), frame)
        assert isinstance(ingested, IncomingEvent)
        ingest.store_events(sender=sender, events=[ingested], received_at=event.received_at)


def test_generated_rows_equal_those_of_ingesting_the_same_events():
    _generate()
    generated = _all_rows()

    _resend_events()

    assert generated["events"]
    assert generated["orders"]
    for table, rows in _all_rows().items():
        assert generated[table] == rows, table


def test_rebuild_check_of_generated_rows_finds_no_difference():
    _generate()

    call_command("rebuild", "--check", stdout=StringIO())


def test_same_seed_generates_the_same_rows_and_another_seed_others():
    _generate()
    first = _all_rows()
    _truncate()

    _generate()
    second = _all_rows()
    _generate(seed=2)

    assert second == first
    assert Customer.objects.count() == 2 * SMALL["customers"]
    assert Event.objects.count() == 2 * SMALL["events"]


def test_stopped_run_is_resumed(monkeypatch):
    monkeypatch.setattr(generate, "CHUNK", 20)
    plan = Plan(**SMALL, seed=1)
    writing = generate.write(generate.missing_chunks(plan), generate.sources())
    next(writing)
    writing.close()
    written = Customer.objects.count()

    _generate()

    assert 0 < written < SMALL["customers"]
    assert Customer.objects.count() == SMALL["customers"]
    assert Event.objects.count() == SMALL["events"]


def test_failed_chunk_writes_nothing(monkeypatch):
    monkeypatch.setattr(generate.registry, "project", _fail)

    with pytest.raises(ZeroDivisionError):
        _generate()

    assert not Event.objects.exists()
    assert not Identifier.objects.exists()


def _fail(subjects) -> None:
    raise ZeroDivisionError


def test_versions_have_no_gaps_and_equal_the_customer_version():
    _generate()

    for customer in Customer.objects.all():
        versions = Event.objects.filter(customer=customer).values_list("version", flat=True)
        assert sorted(versions) == list(range(1, customer.version + 1))


def test_events_happen_between_arrival_and_receipt():
    _generate()

    lag = timedelta(milliseconds=300)
    for event in Event.objects.select_related("customer"):
        assert event.customer.created_at - lag <= event.occurred_at < event.received_at


def test_dry_run_writes_nothing():
    output = _generate(dry_run=True)

    assert "600 events to write" in output
    assert not Customer.objects.exists()
    assert not Source.objects.filter(name__startswith="generated").exists()


def test_concurrent_run_is_refused():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [0x6275746C])
        try:
            with pytest.raises(CommandError, match="Somebody else"):
                _generate()
        finally:
            cursor.execute("SELECT pg_advisory_unlock_all()")
    other.close()


def test_fewer_events_than_customers_are_refused():
    with pytest.raises(CommandError, match="at least one event"):
        _generate(events=59)


@pytest.mark.parametrize("text", ["0", "-5", "many", "²", "99999999999"])
def test_invalid_count_is_refused(text):
    with pytest.raises(CommandError, match="not a number"):
        call_command(Command(), f"--customers={text}")


class _Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_terminal_gets_a_progress_bar_and_a_log_gets_lines(monkeypatch):
    monkeypatch.setattr(generate, "CHUNK", 20)
    terminal = _Terminal()

    call_command(Command(), stdout=terminal, **SMALL)
    lines = _generate(seed=2)

    assert terminal.getvalue().count("\r") == 3
    assert "█" * 30 in terminal.getvalue()
    assert "\r" not in lines
    assert "600 of 600 events" in lines


def test_interrupted_run_names_how_to_resume(monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(generate, "write", interrupt)

    with pytest.raises(CommandError, match="goes on from here") as error:
        _generate()

    assert error.value.returncode == 130


def test_unreachable_database_is_an_error_of_one_line(monkeypatch):
    def fail(plan):
        raise OperationalError("connection refused")

    monkeypatch.setattr(generate, "missing_chunks", fail)

    with pytest.raises(CommandError, match="connection refused") as error:
        _generate()

    assert error.value.returncode == 1
