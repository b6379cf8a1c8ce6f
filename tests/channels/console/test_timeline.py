"""The timeline of the console: by time, grouped by day, with filters. Sign-ins in a row are one entry."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from customers.actions import sign_in
from tests import factories
from tests.channels.console.acting import page_of
from tests.markup import tidy

pytestmark = pytest.mark.django_db
NOOR = ("email", "noor@example.com")


@pytest.fixture
def read(desk, noor):
    """Return a function that reads Noor's timeline with a query."""
    return lambda query="": tidy(page_of(desk, f"customers/{noor.id}/timeline/{query}"))


def _record_event(event: str, *, days: float = 0, **properties) -> None:
    at = timezone.localtime().replace(hour=11, minute=0) - timedelta(days=days)
    factories.record(factories.incoming_event(NOOR, name=event, at=at, properties=properties))


def _headlines(page: str) -> list[str]:
    return re.findall(r"<h4>(.*?)</h4>", page)


def test_events_are_grouped_by_day_whatever_their_order_of_arrival(read, noor):
    _record_event("Second", days=400)
    _record_event("Third", days=1)
    _record_event("First", days=401)

    page = read()

    headlines = [text for text in _headlines(page) if text in ("First", "Second", "Third")]
    assert headlines == ["Third", "Second", "First"]
    days = re.findall(r"<h3>(.*?)</h3>", page)
    day = timezone.localdate() - timedelta(days=401)
    assert "Yesterday" in days
    assert days[-1] == f"{day:%A} {day.day} {day:%B} {day.year}"


def test_headline_of_an_unknown_event_names_its_subject(read, noor):
    _record_event("Ride Ended", ride="Kestrel")

    assert "Ride Ended: Kestrel" in _headlines(read())


def test_sign_ins_in_a_row_are_one_entry(read, noor):
    now = timezone.localtime().replace(hour=11, minute=0) - timedelta(days=3)
    for minute in range(3):
        at = now + timedelta(minutes=minute)
        sign_in.store_event("Address Proved", at, NOOR)

    page = read()

    assert _headlines(page).count("Signed in with a code") == 1
    assert "3 times since" in page
    assert "Address verified" not in page


def test_filters_select_events_and_stay_on_the_next_page(read, noor):
    for number in range(40):
        _record_event("Ride Ended", days=number + 2, ride=f"Kestrel {number}")
    _record_event("Product Viewed", days=1, name="Day ticket")

    page = read("?q=kestrel")
    [older] = re.findall(r'href="(\?cursor=[^"]+)" rel="next"', page)

    assert (len(_headlines(page)), "Looked at an offer" in page) == (30, False)
    assert len(_headlines(read(older.replace("&amp;", "&")))) == 10
    assert 'value="kestrel"' in page
    assert _headlines(read("?q=looked+at")) == ["Looked at an offer"]


def test_period_includes_both_days_of_the_company(read, noor):
    for days in (1, 2, 3, 4):
        _record_event(f"{days} days ago", days=days)
    since, until = (timezone.localdate() - timedelta(days=days) for days in (3, 2))

    page = read(f"?since={since}&until={until}")

    assert _headlines(page) == ["2 days ago", "3 days ago"]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("?since=yesterday", "Enter a valid date."),
        ("?since=2026-05-02&until=2026-05-01", "The last day is before the first day."),
        ("?kind=nonsense", "Select a valid choice."),
    ],
)
def test_wrong_filter_is_named_and_filters_nothing(read, noor, query, text):
    _record_event("Ride Ended", ride="Kestrel")

    page = read(query)

    assert text in page
    assert "Ride Ended: Kestrel" in page


def test_filter_without_a_match_says_so(read, noor):
    assert "No events match these filters." in read("?q=nothing+like+this")
