from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command

from customers.models import Event, Interaction, Order
from examples.themepark import demo_actions, load

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture(autouse=True)
def _park(settings, tmp_path, monkeypatch, quick_hashes):
    settings.BUTLER_HOME = tmp_path
    monkeypatch.setattr(load, "FAMILIES", 0)
    call_command("load_themepark")


def _now() -> datetime:
    return datetime.now(UTC)


def _next_visit() -> Order:
    today = demo_actions.DemoState(_now()).today
    order = Order.objects.filter(visit_date__gte=today).order_by("visit_date").first()
    assert order
    return order


def test_order_by_phone_becomes_the_next_visit():
    before = _next_visit()

    assert demo_actions.run_demo_action("order-by-phone", now=_now()) == 3

    after = _next_visit()
    assert after.number != before.number
    assert after.visit_date == before.visit_date - timedelta(days=1)
    assert after.channel == "phone"
    assert after.total == sum((Decimal(line["total"]) for line in after.lines), Decimal(0))
    call = Interaction.objects.get(customer=after.customer, reference__endswith=after.number)
    assert (call.status, call.staff) == ("answered", "sam")


def test_many_phone_orders_still_find_a_free_day():
    for _ in range(12):
        demo_actions.run_demo_action("order-by-phone", now=_now())

    assert Order.objects.filter(channel="phone").count() == 13


def test_moving_the_arrival_changes_only_the_visit_time():
    before = _next_visit()

    demo_actions.run_demo_action("move-on-site", now=_now())

    after = _next_visit()
    assert (after.number, after.lines, after.total) == (before.number, before.lines, before.total)
    assert after.visit_time != before.visit_time
    assert after.status == "amended"


def test_gate_scans_the_next_visit():
    demo_actions.run_demo_action("scan-at-gate", now=_now())

    scan = Event.objects.filter(name="Ticket Scanned").latest("recorded_at")
    assert scan.about == f"order:{_next_visit().number}"
    assert scan.actor == "source:till, for iris"


def test_customer_without_orders_has_nothing_to_scan_or_move():
    order = _next_visit()
    Order.objects.filter(customer=order.customer).update(status="cancelled")

    assert demo_actions.run_demo_action("scan-at-gate", now=_now()) == 0
    assert demo_actions.run_demo_action("move-on-site", now=_now()) == 0
    assert demo_actions.run_demo_action("order-by-phone", now=_now()) == 3
