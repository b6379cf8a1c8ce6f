"""What generate writes is what the front door would have made of the same events."""

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
from channels.ingest.segment import Frame
from customers import ingest
from customers.models import Customer, Event, Identifier, Link, Order, Source, Trait
from customers.types import IncomingEvent, Sender

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SMALL = {"customers": 60, "events": 600}


def _generate(**options) -> str:
    out = StringIO()
    call_command(Command(), stdout=out, **{**SMALL, **options})
    return out.getvalue()


def _owners() -> dict:
    """Name the records by what is known of them, since their ids are nobody's choice."""
    own = Identifier.objects.filter(record__isnull=False)
    return {identifier.record_id: identifier.value for identifier in own}


def _everything() -> dict[str, list]:
    """Read all tables, without ids and without when we wrote."""
    name = _owners()

    def values(row, fields: str) -> tuple:
        return tuple(getattr(row, field) for field in fields.split())

    value = dict(Identifier.objects.values_list("id", "value"))
    return {
        "customers": sorted(
            (name[c.id], c.version, c.canonical_id, c.created_at, c.last_seen_at)
            for c in Customer.objects.all()
        ),
        "identifiers": sorted(
            (i.kind, i.value, i.evidence, name[i.customer_id], i.record_id is None, i.first_seen_at)
            for i in Identifier.objects.all()
        ),
        "links": sorted(
            (*sorted((value[x.first_id], value[x.second_id])), x.kind, x.evidence, x.source_id)
            for x in Link.objects.all()
        ),
        "events": sorted(
            (
                name[e.customer_id],
                e.version,
                [value[i] for i in e.identifier_ids],
                str(e.origin_id),
                *values(
                    e, "source_id message_id message_key body_hash kind name about evidence actor"
                ),
                e.occurred_at,
                e.received_at,
                json.dumps(e.body, sort_keys=True),
            )
            for e in Event.objects.all()
        ),
        "traits": sorted(
            (
                name[t.customer_id],
                t.name,
                t.value,
                *values(t, "evidence source_id occurred_at message_key"),
            )
            for t in Trait.objects.all()
        ),
        "orders": sorted(
            (
                name[o.customer_id],
                o.number,
                json.dumps(o.lines),
                *values(
                    o, "status total visit_date version placed_at changed_at changed_by details"
                ),
            )
            for o in Order.objects.all()
        ),
    }


def _empty() -> None:
    with pgtrigger.ignore("customers.Event:event_is_never_emptied"), connection.cursor() as cursor:
        cursor.execute("TRUNCATE customers_customer, customers_event CASCADE")


def _sent_again() -> None:
    """Empty the tables and send every event through the front door, as it was received."""
    events = list(Event.objects.order_by("received_at", "customer", "version"))
    channels = dict(Source.objects.values_list("id", "channel"))
    _empty()
    for event in events:
        sender = Sender(
            event.source_id, "", channels[event.source_id], is_trusted=event.evidence == 2
        )
        frame = Frame(received_at=event.received_at, is_trusted=sender.is_trusted)
        item = segment.read(json.dumps(event.body).encode(), frame)
        assert isinstance(item, IncomingEvent)
        ingest.record(sender=sender, items=[item], received_at=event.received_at)


def test_it_writes_what_the_front_door_would_have_made_of_the_same_events():
    _generate()
    generated = _everything()

    _sent_again()

    assert generated["events"]
    assert generated["orders"]
    for table, rows in _everything().items():
        assert generated[table] == rows, table


def test_rebuilding_finds_nothing_wrong_with_it():
    _generate()

    call_command("rebuild", "--check", stdout=StringIO())


def test_the_same_seed_says_the_same_and_another_one_does_not():
    _generate()
    first = _everything()
    _empty()

    _generate()
    again = _everything()
    _generate(seed=2)

    assert again == first
    assert Customer.objects.count() == 2 * SMALL["customers"]
    assert Event.objects.count() == 2 * SMALL["events"]


def test_a_run_that_was_stopped_is_taken_up_where_it_was(monkeypatch):
    monkeypatch.setattr(generate, "CHUNK", 20)
    plan = Plan(**SMALL, seed=1)
    writing = generate.write(generate.missing(plan), generate.sources())
    next(writing)
    writing.close()
    there = Customer.objects.count()

    _generate()

    assert 0 < there < SMALL["customers"]
    assert Customer.objects.count() == SMALL["customers"]
    assert Event.objects.count() == SMALL["events"]


def test_a_chunk_that_fails_leaves_nothing_behind(monkeypatch):
    monkeypatch.setattr(generate.registry, "keep_subjects", _fail)

    with pytest.raises(ZeroDivisionError):
        _generate()

    assert not Event.objects.exists()
    assert not Identifier.objects.exists()


def _fail(subjects) -> None:
    raise ZeroDivisionError


def test_versions_are_gap_free_and_heads_are_right():
    _generate()

    for customer in Customer.objects.all():
        versions = Event.objects.filter(customer=customer).values_list("version", flat=True)
        assert sorted(versions) == list(range(1, customer.version + 1))


def test_nothing_happened_after_it_was_received_or_before_the_customer_came():
    _generate()

    lag = timedelta(milliseconds=300)
    for event in Event.objects.select_related("customer"):
        assert event.customer.created_at - lag <= event.occurred_at < event.received_at


def test_a_dry_run_writes_nothing():
    said = _generate(dry_run=True)

    assert "600 events to write" in said
    assert not Customer.objects.exists()
    assert not Source.objects.filter(name__startswith="generated").exists()


def test_a_second_run_at_the_same_time_is_refused():
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
def test_odd_counts_are_refused(text):
    with pytest.raises(CommandError, match="not a number"):
        call_command(Command(), f"--customers={text}")


class _Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_moving_bar_and_a_log_gets_lines(monkeypatch):
    monkeypatch.setattr(generate, "CHUNK", 20)
    terminal = _Terminal()

    call_command(Command(), stdout=terminal, **SMALL)
    lines = _generate(seed=2)

    assert terminal.getvalue().count("\r") == 3
    assert "█" * 30 in terminal.getvalue()
    assert "\r" not in lines
    assert "600 of 600 events" in lines


def test_an_interrupted_run_says_how_to_go_on(monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(generate, "write", interrupt)

    with pytest.raises(CommandError, match="goes on from here") as stopped:
        _generate()

    assert stopped.value.returncode == 130


def test_a_database_that_is_away_is_an_error_of_one_line(monkeypatch):
    def lost(plan):
        raise OperationalError("connection refused")

    monkeypatch.setattr(generate, "missing", lost)

    with pytest.raises(CommandError, match="connection refused") as failed:
        _generate()

    assert failed.value.returncode == 1
