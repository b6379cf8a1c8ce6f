"""Events have an arrival number: their time of arrival, then their place in the batch."""

from datetime import timedelta

import pytest
from django.db import connection

from customers.actions.internal_events import append_internal_event
from customers.events.arrival import arrival_number
from customers.events.log import InternalEvent, append_internal_events
from customers.models import Event
from tests import factories
from tests.factories import NOON, incoming_event, record

NOOR = ("user_id", "noor")
MICROSECOND = timedelta(microseconds=1)


def test_arrival_number_orders_by_time_then_by_place():
    numbers = [
        arrival_number(NOON, 0),
        arrival_number(NOON, 1),
        arrival_number(NOON, 2047),
        arrival_number(NOON + MICROSECOND, 0),
        arrival_number(NOON + MICROSECOND, 1),
    ]

    assert numbers == sorted(set(numbers))


def test_place_above_the_range_of_a_microsecond_adds_to_the_number():
    assert arrival_number(NOON, 2048) == arrival_number(NOON + MICROSECOND, 0)


def test_arrival_numbers_of_this_century_fit_the_column():
    assert arrival_number(NOON.replace(year=2099), 2047) < 2**63


@pytest.mark.django_db
def test_events_of_a_batch_have_the_numbers_of_their_places():
    first, repeated, last = (incoming_event(NOOR) for _ in range(3))
    by = factories.sender()
    record(repeated, by=by)

    record(first, repeated, incoming_event(("user_id", "null")), last, by=by, at=NOON)

    assert arrivals(first, last) == [arrival_number(NOON, 0), arrival_number(NOON, 3)]


@pytest.mark.django_db
def test_batch_that_is_stored_in_halves_keeps_the_places_of_its_events():
    events = [incoming_event(NOOR) for _ in range(5)]
    poisoned = incoming_event(NOOR, name="a\x00b")

    receipt = record(*events[:2], poisoned, *events[2:], at=NOON)

    assert receipt.accepted == 5
    assert arrivals(*events) == [arrival_number(NOON, place) for place in (0, 1, 3, 4, 5)]


@pytest.mark.django_db
def test_internal_events_have_arrival_numbers():
    noor = factories.customer(NOOR)
    events = [InternalEvent(noor.pk, "task", name, {}, NOON) for name in ("First", "Second")]

    append_internal_events(events, actor="", now=NOON)
    append_internal_event(
        customer_id=noor.pk, name="Third", about="", properties={}, actor="", now=NOON + MICROSECOND
    )

    numbers = Event.objects.filter(kind="task").order_by("version")
    assert list(numbers.values_list("arrival", flat=True)) == [
        arrival_number(NOON, 0),
        arrival_number(NOON, 1),
        arrival_number(NOON + MICROSECOND, 0),
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arrival", "version", "expected"),
    [
        pytest.param(7, 3, 7, id="a number that is stored"),
        pytest.param(None, 3, arrival_number(NOON + MICROSECOND, 3), id="an older event"),
        pytest.param(None, 5000, arrival_number(NOON + MICROSECOND, 2047), id="a long log"),
    ],
)
def test_function_of_the_database_returns_the_number_of_every_event(arrival, version, expected):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT customers_arrival_number(%s, %s, %s)", [arrival, NOON + MICROSECOND, version]
        )

        assert cursor.fetchone() == (expected,)


def arrivals(*events):
    numbers = dict(Event.objects.values_list("message_id", "arrival"))
    return [numbers[event.message_id] for event in events]
