"""Several at once, on rows that are committed: tickers, and events that come meanwhile."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection

from butler.due.tick import tick
from butler.models import Decision, Due, Message, Run
from tests.butler.live_automations import SAY, automation
from tests.factories import NOON, identify, incoming_event, order, record

HOUR = timedelta(hours=1)
SOON = NOON + timedelta(seconds=2)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture(autouse=True)
def _without_notifications(without_version_cache, settings):
    settings.BUTLER_NOTIFY_WORKERS = False


def guest(number):
    return ("email", f"g{number}@example.com")


def all_at_once(*acts):
    """Do these at the same time, each on a connection of its own; raise what any of them did."""
    start, failures = Barrier(len(acts)), []

    def do(act):
        try:
            start.wait()
            act()
        except Exception as failure:  # noqa: BLE001  told to the test below
            failures.append(failure)
        finally:
            connection.close()

    threads = [Thread(target=do, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_ten_concurrent_ticks_advance_each_run_once():
    automation(steps=[SAY, {"kind": "wait", "length": "1h"}, SAY])
    for number in range(120):
        record(
            identify(guest(number), name="Noor"),
            order(f"A-{number}", guest(number), visit_date="2026-11-22"),
        )

    all_at_once(*[lambda: tick(now=SOON)] * 10)
    assert Message.objects.count() == 120
    all_at_once(*[lambda: tick(now=SOON + 2 * HOUR)] * 10)

    assert Message.objects.count() == 240
    assert Decision.objects.count() == 240
    assert set(Run.objects.values_list("status", flat=True)) == {"completed"}
    assert not Due.objects.filter(job="run").exists()


CART = {"kind": "absence", "event": "Checkout Started", "absent": "Order Completed", "within": "1h"}


def test_event_concurrent_with_the_timeout_gives_one_of_both_ends():
    """In either order the run ends once, and no ticker and event wait for each other."""
    automation("cart", trigger=CART, relation="order", expires="2h")
    guests = [guest(number) for number in range(30)]
    for visitor in guests:
        record(identify(visitor, name="Noor"), incoming_event(visitor, name="Checkout Started"))
    over = NOON + HOUR

    def orders(which):
        placed = [
            order(
                f"A-{visitor[1]}", visitor, visit_date="2026-11-22", at=over - timedelta(seconds=1)
            )
            for visitor in which
        ]
        for placed_order in placed:
            record(placed_order, at=over)

    all_at_once(
        lambda: tick(now=over),
        lambda: orders(guests[:15]),
        lambda: tick(now=over),
        lambda: orders(guests[15:]),
    )
    # A row that was claimed as its run was ended is looked at once more, and is gone.
    tick(now=over + 2 * HOUR)

    for run in Run.objects.all():
        assert (run.status, run.reason) in {("cancelled", "cancelled_by_event"), ("completed", "")}
        assert Decision.objects.filter(run_id=run.id).count() == 1
    assert Run.objects.count() == 30
    assert not Due.objects.filter(job="run").exists()
