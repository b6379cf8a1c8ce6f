from datetime import UTC, datetime, timedelta
from itertools import permutations

import msgspec
import pytest

from customers.projections.projected_events import ProjectedEvent
from customers.projections.requests import fold
from tests.factories import NOON

REQUESTED = ProjectedEvent(
    "Callback Requested",
    NOON,
    1,
    "1",
    2,
    "app",
    "",
    1,
    {"subject": "The pass of my son", "wanted_at": "2026-11-22T10:00:00+01:00"},
)
ANSWERED = ProjectedEvent(
    "Request Answered",
    NOON + timedelta(hours=2),
    2,
    "2",
    2,
    "phone",
    "staff:sam",
    2,
    {"outcome": "ok"},
)
CLOSED = ProjectedEvent(
    "Request Closed", NOON + timedelta(hours=3), 3, "3", 2, "phone", "staff:sam", 3, {}
)


def test_request_is_open_until_it_is_answered():
    request = fold("r1", [REQUESTED])
    answered = fold("r1", [REQUESTED, ANSWERED])

    assert (request.status, request.subject, request.closed_at) == (
        "open",
        "The pass of my son",
        None,
    )
    assert request.wanted_at == datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    assert (answered.status, answered.closed_at) == ("answered", ANSWERED.occurred_at)
    assert answered.details == {"outcome": "ok"}


def test_answered_request_has_its_own_status():
    assert fold("r1", [REQUESTED, ANSWERED, CLOSED]).status == "answered"
    assert fold("r1", [REQUESTED, CLOSED]).status == "closed"


def test_the_events_of_a_request_may_arrive_in_any_order():
    some = list(permutations([REQUESTED, ANSWERED, CLOSED]))

    assert len({repr(fold("r1", facts)) for facts in some}) == 1


def test_an_answer_whose_clock_is_behind_still_answers():
    early = ProjectedEvent(
        "Request Answered", NOON - timedelta(seconds=3), 2, "2", 2, "phone", "", 2, {}
    )

    assert fold("r1", [early, REQUESTED]).status == "answered"


def test_claim_opens_no_request():
    claim = ProjectedEvent(
        "Callback Requested", NOON, 1, "1", 1, "web", "", 1, {"subject": "Ring her"}
    )

    assert fold("r1", [claim]) is None


def test_answer_without_a_request_makes_no_request():
    assert fold("r1", [ANSWERED]) is None


@pytest.mark.parametrize("wanted_at", ["2026-11-22T10:00:00", "soon", 12, None])
def test_requested_time_that_is_no_time_counts_as_missing(wanted_at):
    wish = ProjectedEvent(
        "Callback Requested", NOON, 1, "1", 2, "app", "", 1, {"wanted_at": wanted_at}
    )

    assert fold("r1", [wish]).wanted_at is None


@pytest.mark.parametrize(
    "wanted_at",
    [
        pytest.param("0001-01-01T00:00:00+14:00", id="before-the-first-year"),
        pytest.param("9999-12-31T23:59:59-14:00", id="after-the-last-year"),
        pytest.param("9999-12-31T23:59:59+00:00", id="no-such-moment-in-some-zones"),
    ],
)
def test_moment_at_an_end_of_the_calendar_counts_as_missing(wanted_at):
    request_fact = msgspec.structs.replace(REQUESTED, properties={"wanted_at": wanted_at})

    assert fold("1", [request_fact]).wanted_at is None
