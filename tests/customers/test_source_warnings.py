"""The warnings of a batch are counted for its source and day, together with its events."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from customers import ingest
from customers.models import Event, SourceWarning
from customers.queries.sources import connected_sources, source_summaries
from customers.types import IngestWarning
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db

UNDEFINED, UNREADABLE = ("user_id", "undefined"), ("email", "noor at example")


def bad_event(message_id, *identifiers):
    return factories.incoming_event(("card", "C-7"), *identifiers, message_id=message_id)


def store(sender, *events, at=NOON):
    return ingest.store_events(sender=sender, events=events, received_at=at)


def rows():
    return list(
        SourceWarning.objects.order_by("day", "code").values_list("day", "code", "count", "example")
    )


def test_batch_returns_and_counts_its_warnings():
    sender = factories.sender()

    batch = store(sender, bad_event("m-1", UNDEFINED), bad_event("m-2", UNDEFINED, UNREADABLE))

    assert batch.accepted == 2
    assert batch.warnings == [
        IngestWarning("identifier_dropped", 1, "m-2"),
        IngestWarning("non_identifier", 2, "m-1"),
    ]
    day = date(2026, 11, 21)
    assert rows() == [
        (day, "identifier_dropped", 1, "m-2"),
        (day, "non_identifier", 2, "m-1"),
    ]


def test_later_batches_add_to_their_day_and_replace_the_example():
    sender = factories.sender()
    store(sender, bad_event("m-1", UNDEFINED))
    store(sender, bad_event("m-2", UNDEFINED), bad_event("m-3", UNDEFINED))

    store(sender, bad_event("m-4", UNDEFINED), at=NOON + timedelta(days=1))

    assert rows() == [
        (date(2026, 11, 21), "non_identifier", 3, "m-2"),
        (date(2026, 11, 22), "non_identifier", 1, "m-4"),
    ]


def test_day_is_that_of_the_company(settings):
    settings.TIME_ZONE = "Europe/Amsterdam"

    store(
        factories.sender(),
        bad_event("m-1", UNDEFINED),
        at=datetime(2026, 11, 21, 23, 30, tzinfo=UTC),
    )

    assert SourceWarning.objects.get().day == date(2026, 11, 22)


def test_repeated_event_is_counted_once():
    sender = factories.sender()
    event = bad_event("m-1", UNDEFINED)
    store(sender, event)

    again = store(sender, event)

    assert (again.duplicates, again.warnings) == (1, [])
    assert SourceWarning.objects.get().count == 1


def test_batch_without_faults_writes_no_row():
    batch = store(factories.sender(), factories.incoming_event(("email", "noor@example.com")))

    assert batch.warnings == []
    assert not SourceWarning.objects.exists()


def test_publishable_key_writes_no_row():
    batch = store(factories.sender(trusted=False), bad_event("m-1", UNDEFINED))

    assert (batch.accepted, batch.warnings) == (1, [])
    assert not SourceWarning.objects.exists()


def test_event_without_a_usable_identifier_is_in_quarantine_and_warns_of_nothing():
    batch = store(factories.sender(), factories.incoming_event(UNDEFINED))

    assert (batch.quarantined, batch.warnings) == (1, [])


@pytest.mark.django_db(transaction=True)
def test_divided_batch_adds_the_warnings_of_its_halves():
    poisoned = msgspec.structs.replace(factories.incoming_event(), name="Ride\x00Entered")
    events = [bad_event(f"m-{number}", UNDEFINED) for number in range(4)]

    batch = store(factories.sender(), *events[:2], poisoned, *events[2:])

    assert (batch.accepted, Event.objects.count()) == (4, 4)
    assert batch.warnings == [IngestWarning("non_identifier", 4, "m-0")]
    assert SourceWarning.objects.get().count == 4


def test_summaries_add_the_last_seven_days_of_connected_sources():
    source = factories.source("Shop", webhook_secrets=["whsec_x"])
    factories.source("not connected")
    today = date(2026, 11, 21)
    for days, count, example in ((0, 2, "new"), (6, 3, "old"), (7, 100, "too old")):
        SourceWarning.objects.create(
            source=source,
            day=today - timedelta(days=days),
            code="non_identifier",
            count=count,
            example=example,
        )

    (summary,) = source_summaries(today)

    assert summary.source == source
    assert summary.last_used_at is None
    assert summary.warnings == [IngestWarning("non_identifier", 5, "new")]
    assert [row.name for row in connected_sources()] == ["Shop"]
