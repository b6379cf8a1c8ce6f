"""Staff replace the ticket codes of an order; the gate refuses the earlier codes."""

import re

import pytest
from django.utils import timezone

from customers.actions import ticket_codes
from customers.models import AccessLogEntry, Event, Order, TicketCode
from tests.channels.console.acting import order, page_of
from tests.channels.store.gates import gate, scan

pytestmark = pytest.mark.django_db


def code_of(noor):
    [ticket] = ticket_codes.read_tickets(customer_id=noor.id, number="LK-1", now=timezone.now())
    return ticket.code


def replace(client, noor):
    path = f"/console/customers/{noor.id}/orders/LK-1/codes/replace/"
    return client.post(path, follow=True).content.decode()


def test_gate_refuses_a_replaced_code_at_once(desk, noor, client):
    order(visit_date=timezone.localdate().isoformat())
    before = code_of(noor)

    page = replace(desk, noor)

    assert "Order LK-1 has new ticket codes" in page
    after = code_of(noor)
    assert after != before
    _, key = gate()
    assert scan(client, key, before).json["state"] == "replaced"
    assert scan(client, key, after).json["state"] == "good"


def test_form_that_is_sent_twice_replaces_the_codes_once(desk, noor):
    order()
    path = f"/console/customers/{noor.id}/orders/LK-1/"
    key = re.search(r'name="key" value="(\w+)"', desk.get(path).content.decode())[1]

    for _ in range(2):
        page = desk.post(f"{path}codes/replace/", {"key": key}, follow=True).content.decode()

    assert "Order LK-1 has new ticket codes" in page
    assert Event.objects.filter(name=ticket_codes.CODE_REPLACED).count() == 1


def test_page_and_log_contain_no_code(desk, noor):
    order()
    before = code_of(noor)

    page = replace(desk, noor)

    assert before not in page
    assert code_of(noor) not in page
    stated = Event.objects.get(name=ticket_codes.CODE_REPLACED)
    assert (stated.actor, stated.body["properties"]) == ("staff:Sam", {"order_id": "LK-1"})


def test_replacement_is_in_the_access_log(desk, noor):
    order()
    replace(desk, noor)

    entry = AccessLogEntry.objects.get(what="ticket codes")
    assert (entry.customer_id, entry.actor) == (noor.id, "staff:Sam")


@pytest.mark.parametrize("facts", [{"visit_date": None}, {"lines": [], "visit_date": None}])
def test_order_without_a_visit_has_no_codes_to_replace(desk, noor, facts):
    order(**facts)

    assert "Replace ticket codes" not in page_of(desk, f"customers/{noor.id}/orders/LK-1/")
    assert "This order has no tickets." in replace(desk, noor)
    assert not TicketCode.objects.exists()


def test_button_is_on_the_page_of_an_order_with_tickets(desk, noor):
    order()

    page = page_of(desk, f"customers/{noor.id}/orders/LK-1/")

    assert "Replace ticket codes" in page
    assert f"/console/customers/{noor.id}/orders/LK-1/codes/replace/" in page
    assert Order.objects.get().visit_date is not None


def test_code_of_a_cancelled_order_cannot_be_replaced(desk, noor):
    order()
    desk.post(f"/console/customers/{noor.id}/orders/LK-1/cancel/")

    assert "This order has no tickets." in replace(desk, noor)
