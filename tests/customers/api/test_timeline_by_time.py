"""Timelines by the time of the events, as pages show them."""

from datetime import timedelta

import pytest

from customers.queries import timeline
from tests import factories
from tests.factories import NOON


@pytest.fixture
def joined(db):
    """A record of two logs. Events arrive in another order than they occurred, and two have equal times."""
    app, mail, both = ("user_id", "u-1"), ("email", "noor@example.com"), NOON + timedelta(hours=9)
    for hour in (5, 1, 4, 3):
        at = NOON + timedelta(hours=hour)
        factories.record(factories.incoming_event(app, name=f"App {hour}", at=at))
        factories.record(factories.incoming_event(mail, name=f"Mail {hour}", at=at))
    factories.record(factories.identify(app, mail, at=both))
    late = NOON + timedelta(hours=2)
    factories.record(factories.incoming_event(mail, name="Late", at=late))
    return f"/api/customers/{factories.customer(app).id}/timeline/"


def _read_all(caller, path: str, **query) -> list[dict]:
    """Read every page by time."""
    page = caller.get(path, {"order": "time", **query}).json()
    events = page["results"]
    while page["next"]:
        page = caller.get(page["next"]).json()
        events += page["results"]
    return events


def _places(events: list[dict]) -> list[tuple[str, int]]:
    return [(event["customer"], event["version"]) for event in events]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 200])
def test_pages_of_any_size_show_the_same_events_by_time(desk, joined, limit):
    by_version = desk.get(joined, {"limit": 200}).json()["results"]

    by_time = _read_all(desk, joined, limit=limit)

    assert sorted(_places(by_time)) == sorted(_places(by_version))
    moments = [event["occurred_at"] for event in by_time]
    assert moments == sorted(moments, reverse=True)
    assert _places(by_time) == _places(_read_all(desk, joined, limit=200))


def test_event_that_arrived_late_is_between_those_of_its_time(desk, joined):
    names = [event["name"] for event in _read_all(desk, joined)]

    assert names.index("App 3") < names.index("Late") < names.index("Mail 1")


def test_event_that_arrives_between_two_pages_moves_no_other(desk, joined):
    whole = _places(_read_all(desk, joined))
    first = desk.get(joined, {"order": "time", "limit": 4}).json()

    newest = NOON + timedelta(hours=10)
    factories.record(factories.incoming_event(("user_id", "u-1"), name="Newest", at=newest))
    rest = desk.get(first["next"] + "&limit=200").json()["results"]

    assert _places(first["results"] + rest) == whole


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"kind": "identify"}, {""}),
        ({"name": "Late"}, {"Late"}),
        (
            {"since": NOON + timedelta(hours=4), "until": NOON + timedelta(hours=5)},
            {"App 4", "Mail 4"},
        ),
        ({"text": "mail 4"}, {"Mail 4"}),
        ({"text": "ail"}, {"Mail 1", "Mail 3", "Mail 4", "Mail 5"}),
    ],
)
def test_filter_selects_its_events_alone(desk, joined, query, names):
    values = {
        key: value if isinstance(value, str) else value.isoformat() for key, value in query.items()
    }

    assert {event["name"] for event in _read_all(desk, joined, **values, limit=1)} == names


def test_text_finds_subjects_and_properties(desk, db):
    noor = ("user_id", "u-1")
    factories.record(
        factories.incoming_event(noor, name="Ride Ended", properties={"ride": "Kestrel"}),
        factories.incoming_event(noor, name="Ride Ended", properties={"ride": "Otter"}),
        factories.order("A-1", noor),
    )
    path = f"/api/customers/{factories.customer(noor).id}/timeline/"

    assert len(_read_all(desk, path, text="kestrel")) == 1
    assert len(_read_all(desk, path, text="order:A-1")) == 1


@pytest.mark.parametrize("text", ["%", "_", "\\", "100%", "'"])
def test_no_letter_of_a_text_is_a_wildcard(desk, db, text):
    noor = ("user_id", "u-1")
    factories.record(
        factories.incoming_event(noor, name="Plain"),
        factories.incoming_event(noor, name=f"With {text}"),
    )
    path = f"/api/customers/{factories.customer(noor).id}/timeline/"

    assert "Plain" not in {event["name"] for event in _read_all(desk, path, text=text)}
    if text != "\\":  # In the properties, JSON writes it twice.
        assert [event["name"] for event in _read_all(desk, path, text=text)] == [f"With {text}"]


def test_channel_is_that_of_the_source(desk, db):
    noor = ("card", "C-100")
    till = factories.source(channel="till")
    factories.record(factories.incoming_event(noor, name="At the till"), by=factories.sender(till))
    factories.record(factories.incoming_event(noor, name="Elsewhere"))
    path = f"/api/customers/{factories.customer(noor).id}/timeline/"

    assert [event["name"] for event in _read_all(desk, path, channel="till")] == ["At the till"]
    assert _read_all(desk, path, channel="no such channel") == []


def test_filtered_page_of_a_long_log_ends_early_and_its_cursor_leads_to_the_rest(
    desk, db, monkeypatch
):
    monkeypatch.setattr(timeline, "_MAX_SEARCHED_EVENTS", 10)
    noor = ("user_id", "u-1")
    factories.record(factories.incoming_event(noor, name="Rare", at=NOON))
    factories.record(
        *(
            factories.incoming_event(noor, name="Often", at=NOON + timedelta(minutes=1 + n // 2))
            for n in range(60)
        )
    )
    path = f"/api/customers/{factories.customer(noor).id}/timeline/"

    first = desk.get(path, {"order": "time", "name": "Rare"}).json()

    assert (first["results"], bool(first["next"])) == ([], True)
    assert [event["name"] for event in _read_all(desk, path, name="Rare")] == ["Rare"]
    assert len(_read_all(desk, path, text="often", limit=3)) == 60


@pytest.mark.parametrize(
    "query",
    [
        {"channel": "till"},
        {"text": "Kestrel"},
        {"order": "time", "at_version": 3},
        {"order": "time", "text": ""},
        {"order": "time", "text": "x" * 101},
        {"order": "age"},
        {"order": "time", "cursor": "AAAA"},
    ],
)
def test_invalid_query_is_refused(desk, joined, query):
    assert desk.get(joined, query).status_code == 400


def test_cursor_of_the_other_order_is_refused(desk, joined):
    by_version = desk.get(joined, {"limit": 2}).json()["next"]
    by_time = desk.get(joined, {"limit": 2, "order": "time"}).json()["next"]

    assert desk.get(by_version + "&order=time").status_code == 400
    assert desk.get(by_time.replace("order=time", "order=version")).status_code == 400
