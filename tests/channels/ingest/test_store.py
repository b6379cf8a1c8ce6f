import msgspec
import pytest

from channels.ingest import store
from channels.ingest.http import ErrorResponse
from customers.models import Event, QuarantinedItem
from customers.types import RejectedItem
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db(transaction=True)


def take_in(*items, by=None, **how):
    by = by or factories.sender()
    return store.store_events(sender=by, events=items, received_at=NOON, **how).outcomes


def poisoned():
    """Return an event that the limits would refuse, because Postgres stores no NUL in text."""
    return msgspec.structs.replace(factories.incoming_event(), name="Ride\x00Entered")


def test_outcomes_come_in_the_order_of_what_was_found():
    good, again = factories.incoming_event(), factories.incoming_event()

    outcomes = take_in(
        RejectedItem(b"{", "malformed"), good, RejectedItem(b"5", "not_an_object"), again
    )

    assert [(outcome.status, outcome.reason) for outcome in outcomes] == [
        ("quarantined", "malformed"),
        ("accepted", ""),
        ("quarantined", "not_an_object"),
        ("accepted", ""),
    ]


@pytest.mark.parametrize("place", [0, 3, 6])
def test_event_refused_by_postgres_blocks_no_other(place):
    items = [factories.incoming_event() for _ in range(6)]
    items.insert(place, poisoned())

    outcomes = take_in(*items)

    assert [outcome.status for outcome in outcomes].count("accepted") == 6
    assert outcomes[place][0] == "quarantined"
    assert QuarantinedItem.objects.get().reason == "refused_by_database"
    assert Event.objects.count() == 6


def test_an_event_without_an_id_is_given_one():
    nameless = msgspec.structs.replace(factories.incoming_event(), message_id="")

    take_in(nameless, nameless)

    assert Event.objects.count() == 2


def test_strictly_all_or_nothing_is_stored():
    with pytest.raises(ErrorResponse) as refusal:
        take_in(factories.incoming_event(), RejectedItem(b"{", "malformed"), is_strict=True)

    assert refusal.value.body["items"] == [{"index": 1, "reason": "malformed"}]
    assert not Event.objects.exists()
    assert not QuarantinedItem.objects.exists()


def test_strictly_what_postgres_refuses_is_a_bad_item():
    with pytest.raises(ErrorResponse) as refusal:
        take_in(factories.incoming_event(), poisoned(), is_strict=True)

    assert refusal.value.body["items"] == [{"index": 1, "reason": "refused_by_database"}]
    assert not Event.objects.exists()
    assert not QuarantinedItem.objects.exists()


def test_strictly_a_used_id_with_other_content_is_refused():
    by = factories.sender()
    take_in(factories.incoming_event(message_id="m1"), by=by)

    with pytest.raises(ErrorResponse) as refusal:
        take_in(factories.incoming_event(message_id="m1", name="Ride Left"), by=by, is_strict=True)

    assert refusal.value.body["items"] == [{"index": 0, "reason": "other_content"}]
