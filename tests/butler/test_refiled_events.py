"""Events that were filed on another customer later, while a run waits or gathers."""

from datetime import timedelta

import pytest

from butler.automations.run_context import read_run_contexts
from butler.due.tick import tick
from butler.models import Message
from customers.actions.refiling import refile_events
from customers.models import Event
from tests import factories
from tests.butler.live_automations import HOUR, NOOR, SAY, SOON, run, say, start_run
from tests.factories import NOON, incoming_event, record

pytestmark = pytest.mark.django_db

SAM = ("email", "sam@example.com")
WAIT_FOR = {
    "kind": "wait_for",
    "event": "Ticket Scanned",
    "within": "3h",
    "then": [say(channels=["inbox"])],
    "otherwise": [say(channels=["email"])],
}


def scan(person):
    """Store the scan of a ticket, and return its place."""
    event = incoming_event(person, name="Ticket Scanned", at=NOON + timedelta(seconds=1))
    record(event)
    return Event.objects.values_list("customer_id", "version").get(message_id=event.message_id)


def refile(place, to):
    refile_events(events=[place], identifier=to, reason="", actor="staff:lin", now=NOON)


def test_awaited_event_that_was_refiled_to_another_customer_does_not_count():
    factories.customer(SAM)
    start_run([WAIT_FOR])
    refile(scan(NOOR), to=SAM)

    tick(now=SOON)
    tick(now=SOON + timedelta(seconds=3))

    assert not Message.objects.exists()
    tick(now=SOON + 4 * HOUR)
    assert Message.objects.get().channel == "email"


def test_awaited_event_that_was_refiled_to_the_customer_counts():
    factories.customer(SAM)
    start_run([WAIT_FOR])
    refile(scan(SAM), to=NOOR)

    tick(now=SOON)
    tick(now=SOON + timedelta(seconds=3))

    assert Message.objects.get().channel == "inbox"


def test_texts_contain_no_event_that_was_refiled_to_another_customer():
    factories.customer(SAM)
    start_run([SAY])
    waiting, place = run(), scan(NOOR)
    log, version = place
    waiting.cause |= {
        "log": str(log),
        "version": version,
        "gathered": [{"log": str(log), "version": version}],
        "count": 1,
    }

    before = read_run_contexts([waiting], now=SOON)[waiting.id].values
    refile(place, to=SAM)
    after = read_run_contexts([waiting], now=SOON)[waiting.id].values

    assert {"event", "gathered"} <= before.keys()
    assert {"event", "gathered"}.isdisjoint(after.keys())
