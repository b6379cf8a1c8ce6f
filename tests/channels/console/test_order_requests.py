"""Staff read the open requests of customers about orders, and answer each request once."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone

from butler import urls as butler_urls
from channels.console.presenters import labels
from customers import urls as customer_urls
from customers.actions import order_requests, orders
from customers.actions.changes import ChangeAuthor
from customers.events import internal_sources
from customers.models import Order
from customers.types import CUSTOMER_APP
from tests import factories
from tests.channels.console.acting import ADDRESS

PAGE = "/console/order-requests/"


def ask(noor, **change):
    """Request a change of order LK-1; return the id of the request."""
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


def test_answer_from_the_list_leads_back_to_the_list(desk, noor, placed):
    first, _ = ask(noor, note="by the gate"), ask(noor, visit_date="2027-05-02")

    page = answer(desk, noor, "decline", request=first, from_list="on")

    assert "The request for LK-1 is declined." in page
    assert "<h1>Order requests</h1>" in page
    assert "2 May 2027" in page


def test_home_page_counts_the_orders_with_requests(desk, noor, placed):
    before = content(desk, "/console/")
    ask(noor, note="by the gate")
    ask(noor, visit_date="2027-05-02")

    page = content(desk, "/console/")

    assert '<p class="metric">1</p>' not in before
    assert '<p class="metric">1</p>' in page
    assert "Order with requests" in page


def test_list_of_shortcuts_names_every_page_of_the_navigation(desk):
    page = content(desk, "/console/keys/")

    letters = set(re.findall(r'data-shortcut="(\w)"', page))
    assert "r" in letters
    assert letters <= set(re.findall(r"<kbd>g</kbd> <kbd>(\w)</kbd>", page))


def test_access_log_of_staff_has_words_for_every_route_of_a_record():
    urls = [*customer_urls.urlpatterns, *butler_urls.urlpatterns]
    of_record = [
        pattern
        for url in urls
        if str(url.pattern).startswith("customers/<uuid:customer_id>/")
        for pattern in getattr(url, "url_patterns", [url])
    ]
    names = {pattern.name for pattern in of_record}

    assert "order-tickets" in names
    assert names <= set(labels.ACCESSED_PARTS)
