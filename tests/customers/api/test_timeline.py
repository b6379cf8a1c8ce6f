import itertools
from datetime import timedelta
from uuid import UUID

import pytest

from customers.events.log import InternalEvent, append_internal_events
from customers.identity import decisions
from customers.types import CONSENT_KIND
from tests import factories
from tests.factories import NOON


def _walk(caller, path: str, query: dict) -> list[dict]:
    """Read every page, forwards."""
    page = caller.get(path, query).json()
    events = page["results"]
    while page["next"]:
        page = caller.get(page["next"]).json()
        events += page["results"]
    return events


def _places(events: list[dict]) -> list[tuple[str, int]]:
    return [(event["customer"], event["version"]) for event in events]


@pytest.fixture
def joined(db):
    """A record of two logs, with events before and after they became one."""
    for n in range(3):
        factories.record(factories.incoming_event(("user_id", "u-1"), name=f"Web {n}"))
        factories.record(factories.incoming_event(("email", "noor@example.com"), name=f"Mail {n}"))
    factories.record(factories.identify(("user_id", "u-1"), ("email", "noor@example.com")))
    factories.record(factories.incoming_event(("email", "noor@example.com"), name="Mail 3"))
    customer = factories.customer(("user_id", "u-1"))
    return customer, f"/api/customers/{customer.id}/timeline/"


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 100])
def test_pages_of_any_size_show_every_event_once(desk, joined, limit):
    _, path = joined
    whole = _places(desk.get(path, {"limit": 200}).json()["results"])

    pages = _places(_walk(desk, path, {"limit": limit}))

    assert pages == whole
    assert len(set(pages)) == len(pages) >= 9


def test_previous_pages_are_the_same_as_the_next_pages(desk, joined):
    _, path = joined
    page = desk.get(path, {"limit": 3}).json()
    forwards = [page]
    while page["next"]:
        page = desk.get(page["next"]).json()
        forwards.append(page)

    backwards = [page]
    while page["previous"]:
        page = desk.get(page["previous"]).json()
        backwards.append(page)

    assert [_places(page["results"]) for page in backwards[::-1]] == [
        _places(page["results"]) for page in forwards
    ]
    assert forwards[0]["previous"] is None


def test_versions_of_each_log_descend_without_a_gap(desk, joined):
    _, path = joined

    events = _walk(desk, path, {"limit": 2})

    for _, places in itertools.groupby(sorted(_places(events)), key=lambda place: place[0]):
        versions = [version for _, version in places]
        assert versions == list(range(1, len(versions) + 1))


def test_new_events_do_not_change_later_pages(desk, joined):
    _, path = joined
    first = desk.get(path, {"limit": 4}).json()

    factories.record(factories.incoming_event(("user_id", "u-1"), name="Late"))
    rest = _walk(desk, first["next"], {})

    assert "Late" not in {event["name"] for event in first["results"] + rest}
    assert desk.get(path, {"limit": 1}).json()["results"][0]["name"] == "Late"


def test_separated_record_keeps_its_own_events(desk, joined):
    customer, path = joined
    other = desk.get(f"/api/customers/{customer.id}/").json()["members"][0]["joined"]

    decisions.separate_records(
        customer.id, UUID(other), actor="staff:lin", now=NOON + timedelta(days=1)
    )

    mine = {event["name"] for event in _walk(desk, path, {"limit": 2})}
    theirs = {
        event["name"] for event in _walk(desk, f"/api/customers/{other}/timeline/", {"limit": 2})
    }
    assert {"Web 0", "Web 1", "Web 2"} <= mine
    assert not mine & {"Mail 0", "Mail 1", "Mail 2", "Mail 3"}
    assert {"Mail 0", "Mail 1", "Mail 2", "Mail 3"} <= theirs
    assert not theirs & {"Web 0", "Web 1", "Web 2"}


def test_consents_have_the_kind_consent_in_the_timeline_and_its_filter(desk, db):
    customer = factories.customer(("user_id", "u-1"))
    statement = InternalEvent(customer.id, CONSENT_KIND, "Consent Given", {}, NOON)
    append_internal_events([statement], actor="", now=NOON)
    path = f"/api/customers/{customer.id}/timeline/"

    shown_events = desk.get(path, {"kind": "consent"}).json()["results"]

    assert [(event["kind"], event["name"]) for event in shown_events] == [
        ("consent", "Consent Given")
    ]


def test_timeline_can_be_filtered(desk, db):
    identifier = ("user_id", "u-1")
    factories.record(
        factories.incoming_event(identifier, name="Ride Entered", at=NOON),
        factories.incoming_event(identifier, name="Ride Left", at=NOON + timedelta(hours=1)),
        factories.order("A-1", identifier, at=NOON + timedelta(hours=2)),
        factories.identify(identifier, at=NOON + timedelta(hours=3)),
    )
    path = f"/api/customers/{factories.customer(identifier).id}/timeline/"

    def names(**query) -> list[str]:
        return [event["name"] for event in desk.get(path, query).json()["results"]]

    assert names(name="Ride Left") == ["Ride Left"]
    assert names(about="order:A-1") == ["Order Completed"]
    assert names(kind="track", until="2026-11-21T13:00:00Z") == ["Ride Entered"]
    assert names(kind="track", since="2026-11-21T14:00:00+01:00") == [
        "Order Completed",
        "Ride Left",
    ]
    assert names(at_version="2") == ["Ride Left", "Ride Entered"]


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "x"},
        {"cursor": "kcOh"},
        {"cursor": "k8OBoMA"},
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "ten"},
        {"limit": "²"},
        {"since": "yesterday"},
        {"since": "2026-11-21T12:00:00"},
        {"at_version": "-1"},
        {"at_version": "99999999999999999999"},
        {"colour": "red"},
    ],
)
def test_invalid_query_is_refused(desk, noor, query):
    answer = desk.get(f"/api/customers/{noor[0].id}/timeline/", query)

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
