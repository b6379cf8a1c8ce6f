"""Staff see what customers ask about orders, and answer each request once."""

from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone

from customers.actions import order_requests, orders
from customers.actions.changes import ChangeAuthor
from customers.events import internal_sources
from customers.models import Order
from customers.types import CUSTOMER_APP
from tests import factories
from tests.channels.console.acting import ADDRESS

PAGE = "/console/order-requests/"


def ask(noor, **change):
    """Ask for a change of order LK-1; return the id of the request."""
    by = ChangeAuthor(internal_sources.signed_in_sender(CUSTOMER_APP, "app"))
    target = orders.OrderTarget(noor.pk, "LK-1", by, timezone.now())
    order_requests.request_change(target=target, name="Order Change Requested", change=change)
    return Order.objects.get(number="LK-1").requests[-1]["id"]


@pytest.fixture
def placed(noor):
    factories.record(factories.order("LK-1", ADDRESS, visit_date="2027-05-01"))


def content(client, path=PAGE):
    return unescape(client.get(path).content.decode())


def answer(client, noor, verb, **fields):
    path = f"/console/customers/{noor.id}/orders/LK-1/{verb}/"
    return unescape(client.post(path, fields, follow=True).content.decode())


def states():
    return [request["state"] for request in Order.objects.get(number="LK-1").requests]


def test_list_names_the_customer_the_order_and_the_change(desk, noor, placed):
    ask(noor, note="by the gate")

    page = content(desk)

    assert "Noor de Wit" in page
    assert "LK-1" in page
    assert "by the gate" in page


def test_answered_request_leaves_the_list(desk, noor, placed):
    request_id = ask(noor, note="by the gate")
    answer(desk, noor, "confirm", request=request_id)

    assert "No open requests" in content(desk)
    assert states() == ["confirmed"]


def test_staff_answer_one_request_and_leave_the_other(desk, noor, placed):
    first, _ = ask(noor, note="by the gate"), ask(noor, visit_date="2027-05-02")

    answer(desk, noor, "decline", request=first, reason="No room there")

    assert states() == ["declined", "asked"]
    assert Order.objects.get(number="LK-1").requests[0]["reason"] == "No room there"


def test_second_colleague_reads_that_the_request_was_answered(desk, noor, placed):
    request_id = ask(noor, note="by the gate")
    answer(desk, noor, "confirm", request=request_id)

    page = answer(desk, noor, "decline", request=request_id)

    assert "This request was confirmed before by Sam" in page
    assert states() == ["confirmed"]


def test_request_on_a_changed_order_says_so(desk, noor, placed):
    ask(noor, note="by the gate")
    later = timezone.now() + timedelta(minutes=1)
    factories.record(
        factories.order("LK-1", ADDRESS, name="Order Amended", at=later, visit_date="2027-06-01")
    )

    assert "The order changed after the customer asked" in content(desk)


def test_unreadable_request_id_is_no_page(desk, noor, placed):
    path = f"/console/customers/{noor.id}/orders/LK-1/confirm/"

    assert desk.post(path, {"request": "x"}).status_code == 404
