"""What came of handing over: on the log of whoever the customer is by then."""

import threading
import time

import pytest
from django.db import connection, transaction

from butler.actions import claims, outcomes
from butler.actions.outcomes import Outcome
from butler.models import Message
from customers.models import Customer, Event
from tests.butler import arrange
from tests.butler.arrange import NOON

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _words():
    arrange.vocabulary()


def leaving():
    """Let one message go, and return whose it is and what is to be said of it."""
    guest = arrange.guest()
    arrange.says(guest, "consent.given", "offers")
    arrange.message(guest)
    claimed = claims.claim(
        channel="email", provider="sink", now=NOON, most=1, lease=10.0, links=lambda one: {}
    )
    (left,) = claimed.leaving
    return guest, Outcome(left.delivery, left.message, "accepted", "marketing", left.number, False)


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database() AND query LIKE '%%FOR NO KEY UPDATE%%'"
        )
        return cursor.fetchone() is not None


def test_what_left_while_two_records_became_one_is_on_the_log_of_the_one():
    guest, accepted = leaving()
    other = arrange.guest()
    before = Customer.objects.get(id=other.id).version

    def record():
        outcomes.record([accepted], now=NOON)
        connection.close()

    thread = threading.Thread(target=record)
    with transaction.atomic():
        Customer.objects.filter(id__in=[guest.id, other.id]).order_by("id").select_for_update()
        Customer.objects.filter(id=guest.id).update(canonical_id=other.id)
        thread.start()
        deadline = time.monotonic() + 10
        while not waits_for_a_lock():
            assert time.monotonic() < deadline
            time.sleep(0.005)
    thread.join()

    assert Message.objects.get().state == "accepted"
    event = Event.objects.get(name="Message Sent")
    assert (event.customer_id, event.version) == (other.id, before + 1)
    assert Customer.objects.get(id=other.id).version == before + 1
