"""Staff move an event to another customer: the link, the form, the confirmation."""

import pytest
from django.test import Client

from customers.models import AccessLogEntry, Event, Order, RefiledEvent
from tests import factories, staff
from tests.channels.console.acting import order, page_of

SAM_FIELDS = {"kind": "email", "value": "Sam@example.com", "reason": "wrong card"}


@pytest.fixture
def sam(db):
    return factories.customer(("email", "sam@example.com"), name="Sam Smit")


@pytest.fixture
def path(noor):
    """The page that moves an order of Noor."""
    order("LK-1")
    event = Event.objects.get(name="Order Completed")
    return f"customers/{noor.id}/timeline/{event.customer_id}/{event.version}/move/"


def test_timeline_links_to_the_form(desk, noor, path):
    assert f'href="/console/{path}"' in page_of(desk, f"customers/{noor.id}/timeline/")
    assert f'href="/console/{path}"' in page_of(desk, f"customers/{noor.id}/")


def test_timeline_has_no_link_for_events_that_stay(desk, noor, sam, path):
    desk.post(f"/console/{path}", SAM_FIELDS | {"confirm": "yes"})
    refiled = Event.objects.get(customer=sam, name="Event Refiled")

    page = page_of(desk, f"customers/{sam.id}/timeline/")

    assert "Event moved to another customer" in page
    assert f"/{sam.id}/{refiled.version}/move/" not in page


def test_role_without_the_right_has_no_link_and_no_form(noor, path):
    till = staff.let_in(Client(), staff.colleague("till"))

    assert "/move/" not in page_of(till, f"customers/{noor.id}/")
    assert till.get(f"/console/{path}").status_code == 403
    assert till.post(f"/console/{path}", SAM_FIELDS).status_code == 403


def test_form_shows_the_other_customer_before_it_moves_the_event(desk, noor, sam, path):
    form = page_of(desk, path)
    checked = desk.post(f"/console/{path}", SAM_FIELDS)

    assert "Order" in form
    assert "Sam Smit" in checked.content.decode()
    assert not RefiledEvent.objects.exists()
    assert AccessLogEntry.objects.filter(customer=sam, what="refiling").count() == 1


def test_confirmed_form_moves_the_event(desk, noor, sam, path):
    moved = desk.post(f"/console/{path}", SAM_FIELDS | {"confirm": "yes"}, follow=True)

    assert "The event is moved." in moved.content.decode()
    assert Order.objects.get().customer == sam
    refiled = RefiledEvent.objects.get()
    assert (refiled.reason, refiled.actor) == ("wrong card", "staff:Sam")
    repeated = desk.post(f"/console/{path}", SAM_FIELDS | {"confirm": "yes"}, follow=True)
    assert "The event was already there." in repeated.content.decode()


def test_move_back_shows_first_where_the_event_returns_to(desk, noor, sam, path):
    factories.customer(("email", "lin@example.com"), name="Lin Vos")
    event = Event.objects.get(name="Order Completed")
    fields = SAM_FIELDS | {"confirm": "yes"}
    desk.post(f"/console/{path}", fields)
    of_sam = f"customers/{sam.id}/timeline/{event.customer_id}/{event.version}/move/"
    desk.post(f"/console/{of_sam}", fields | {"value": "lin@example.com", "reason": "no, Lin"})

    assert "no, Lin" in page_of(desk, path)
    shown = desk.post(f"/console/{path}undo/").content.decode()
    assert "Sam Smit" in shown
    assert RefiledEvent.objects.get().reason == "no, Lin"
    undone = desk.post(f"/console/{path}undo/", {"confirm": "yes"}, follow=True)
    assert "The event is moved back." in undone.content.decode()
    assert Order.objects.get().customer == sam

    desk.post(f"/console/{path}undo/", {"confirm": "yes"})
    assert Order.objects.get().customer == noor
    repeated = desk.post(f"/console/{path}undo/", {"confirm": "yes"}, follow=True)
    assert "The event was moved back before." in repeated.content.decode()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"value": "nobody@example.com"}, "No customer has this identifier."),
        ({"value": " "}, "The identifier is missing."),
        ({"reason": ""}, "The reason is missing."),
        ({"kind": "name"}, "The kind is missing."),
    ],
)
def test_invalid_form_is_shown_again_with_its_error(desk, sam, path, change, text):
    answer = desk.post(f"/console/{path}", SAM_FIELDS | {"confirm": "yes"} | change)

    assert answer.status_code == 422
    assert text in answer.content.decode()
    assert not RefiledEvent.objects.exists()


def test_event_of_another_customer_is_not_found(desk, noor, sam, path):
    other = path.replace(f"customers/{noor.id}/", f"customers/{sam.id}/")

    assert desk.get(f"/console/{other}").status_code == 404
    for version in (99, 10**30):
        missing = f"/console/customers/{noor.id}/timeline/{noor.id}/{version}/move/"
        assert desk.get(missing).status_code == 404
