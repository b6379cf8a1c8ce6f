"""A topic status that staff set in the console reaches the customers of its audience."""

import pytest
from django.test import Client
from django.utils import timezone

from butler.actions.topics import set_status
from butler.models import Due, TopicStatus
from tests import staff
from tests.butler.live_automations import automation
from tests.channels.console.acting import page_of
from tests.markup import tidy

pytestmark = pytest.mark.django_db

RIDE = "ride:night-mail"
DOWN = {"kind": "topic", "topic": "ride:*", "status": "down", "audience": "visiting_today"}


@pytest.fixture
def ride(db) -> TopicStatus:
    return set_status(
        key=RIDE,
        status="open",
        facts={"name": "The Night Mail", "minutes": 5},
        author_name="source:ride control",
        now=timezone.now(),
    )


def _post_status(client: Client, **form) -> str:
    fields = {"key": RIDE, "name": "The Night Mail", "serial": "1", "status": "down"} | form
    return client.post("/console/topics/status/", fields, follow=True).content.decode()


def test_topic_status_with_a_reason_starts_runs_of_the_audience(desk, ride):
    automation("ride-down", trigger=DOWN, topic="rides", relation="visit")
    assert "Down starts: ride-down." in page_of(desk, "topics/")

    page = _post_status(desk, reason="A bird on the track", until="15:30")

    assert "The Night Mail is down." in page
    assert "set by Sam: A bird on the track (until about 15:30)" in tidy(page)
    ride.refresh_from_db()
    # The facts of the earlier status are gone.
    assert ride.facts == {
        "name": "The Night Mail",
        "reason": "A bird on the track",
        "until": "15:30",
        "said_by": "staff:Sam",
    }
    cause = Due.objects.get(job="fan_out").facts["cause"]
    assert cause == {"topic": RIDE, "status": "down", "serial": 2}


def test_topic_form_submitted_twice_notifies_once(desk, ride):
    automation("ride-down", trigger=DOWN, topic="rides", relation="visit")

    _post_status(desk)
    page = _post_status(desk)

    assert "is down" in page
    assert "A colleague has just set" not in page
    assert Due.objects.filter(job="fan_out").count() == 1


def test_outdated_topic_form_does_not_override_a_colleague(desk, ride):
    for status in ("down", "open"):
        set_status(key=RIDE, status=status, facts={}, author_name="staff:Lin", now=timezone.now())

    page = _post_status(desk, serial="1")

    assert "A colleague has just set another status" in page
    ride.refresh_from_db()
    assert (ride.status, ride.serial) == ("open", 3)


def test_new_topic_is_listed_once(desk):
    page = _post_status(desk, key="show:lanterns", name="Lantern Night", serial="", status="open")
    assert "Lantern Night is open." in page

    page = _post_status(desk, key="show:lanterns", name="Lantern Night", serial="", status="down")

    assert "This topic is already in the list." in page
    assert TopicStatus.objects.get().status == "open"


@pytest.mark.parametrize(
    ("form", "answer"),
    [
        ({"key": "ride:a b"}, "The key is not valid"),
        ({"key": ""}, "The key is not valid"),
        ({"status": "DOWN!"}, "The status is not valid"),
        ({"status": ""}, "The status is not valid"),
        ({"key": "BAD <b>!! ride:night-mail"}, "The key is not valid"),
        ({"key": "x" * 30_000 + " ride:x"}, "The key is not valid"),
        ({"status": "Very DOWN open"}, "The status is not valid"),
        ({"until": "next week at 15:30"}, "such as 15:30"),
        ({"serial": "abc"}, "Load it again"),
        ({"until": "soon"}, "such as 15:30"),
        ({"until": "٢٤:00"}, "such as 15:30"),
    ],
)
def test_invalid_topic_form_changes_nothing(desk, ride, form, answer):
    page = _post_status(desk, **form)

    assert answer in page
    ride.refresh_from_db()
    assert (ride.status, ride.serial) == ("open", 1)


@pytest.mark.parametrize(
    "bad", ["\x00", "a\x00b", "<script>alert(1)</script>", "{{ 7 }}", "x" * 999]
)
def test_markup_in_a_reason_is_escaped(desk, ride, bad):
    page = _post_status(desk, reason=bad, serial="9" * 40 if bad == "x" * 999 else "1")

    assert "<script>alert" not in page
    assert TopicStatus.objects.get().facts.get("reason", "") in ("", "ab", bad)


def test_role_without_the_right_to_change_topics_sees_no_button(client, ride):
    till = staff.let_in(client, staff.colleague("till", "Iris"))

    page = page_of(till, "topics/")

    assert "The Night Mail" in page
    assert "/console/topics/status/" not in page
    assert till.post("/console/topics/status/", {"key": RIDE, "status": "down"}).status_code == 403
