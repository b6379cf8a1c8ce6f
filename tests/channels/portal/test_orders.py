import re
import uuid
from datetime import datetime
from html import unescape
from urllib.parse import quote
from zoneinfo import ZoneInfo

import icalendar
import pytest
from django.utils import timezone

from customers.actions import order_requests
from customers.actions import orders as actions
from customers.actions.changes import ChangeAuthor
from customers.events import internal_sources
from customers.models import Order, TicketCode
from customers.tickets import codes
from customers.types import CUSTOMER_PORTAL, STAFF_CONSOLE
from tests import factories
from tests.markup import tidy

pytestmark = pytest.mark.django_db

ODD = ["LK-1/2", "LK/code.svg", "a b", "50%", "é?#&", "..", "line\nbreak", "calendar.ics"]


def _record_order(number: str, name: str, *, by=("user_id", "noor"), **facts) -> None:
    now = timezone.now()
    factories.record(factories.order(number, by, name=name, at=now, **facts), at=now)


def _event(answer) -> icalendar.Event:
    [event] = icalendar.Calendar.from_ical(answer.content).walk("VEVENT")
    return event


def test_orders_are_listed_and_lead_to_their_pages(signed_in, place):
    place("LK-1")
    place("LK-2", name="Owl Evening")

    page = signed_in.get("/orders/").content.decode()

    assert page.index("Owl Evening") < page.index("Lantern Night")
    assert 'href="/orders/LK-2/"' in page


def test_page_without_orders_shows_a_hint(signed_in):
    assert "No orders yet" in signed_in.get("/orders/").content.decode()


def test_more_orders_than_a_page_shows_can_be_leafed_through(signed_in, place):
    for number in range(22):
        place(f"LK-{number:02}")

    first = signed_in.get("/orders/").content.decode()
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older
    second = signed_in.get("/orders/" + older[1]).content.decode()

    assert 'href="/orders/LK-00/"' not in first
    assert 'href="/orders/LK-00/"' in second
    assert signed_in.get("/orders/?cursor=nonsense").status_code == 302
    assert '<a href="/orders/">All orders</a>' in signed_in.get("/").content.decode()


def test_an_order_tells_what_is_in_it_and_who_changed_what(signed_in, place):
    place("LK-1")
    now = timezone.now()
    change = factories.incoming_event(
        ("user_id", "noor"),
        name="Order Amended",
        about="order:LK-1",
        properties={"order_id": "LK-1", "visit_time": "11:30"},
        actor="staff:sam",
        at=now,
    )
    factories.record(change, at=now)

    page = signed_in.get("/orders/LK-1/").content.decode()

    assert "Day ticket" in page
    assert "69.00" in page
    assert "Your order was changed" in page
    assert "Sam" in page
    assert "11:30" in page


@pytest.mark.parametrize("number", ODD)
def test_any_number_has_a_page_a_calendar_file_and_a_code(signed_in, place, number):
    place(number)

    listed = signed_in.get("/orders/").content.decode()
    address = re.search(r'<a href="(/orders/[^"]+)"><strong>', tidy(listed))
    assert address

    assert signed_in.get(unescape(address[1])).status_code == 200
    assert signed_in.get(f"/orders/{quote(number, safe='')}/").status_code == 200
    assert signed_in.get(f"/orders/{quote(number, safe='')}/calendar.ics").status_code == 200
    assert signed_in.get(f"/orders/{quote(number, safe='')}/code.svg").status_code == 200


@pytest.mark.parametrize("end", ["", "calendar.ics", "code.svg"])
def test_anothers_order_is_not_there_with_the_same_words(signed_in, place, end):
    place("LK-9", of="els")

    theirs, nobodys = (signed_in.get(f"/orders/{n}/{end}") for n in ("LK-9", uuid.uuid4()))

    assert theirs.status_code == nobodys.status_code == 404
    assert _plain(theirs) == _plain(nobodys)


def _plain(answer) -> str:
    return re.sub(r'name="(csrfmiddlewaretoken|next)" value="[^"]*"', "", answer.content.decode())


@pytest.mark.parametrize(
    "path", ["/orders/", "/orders/LK-1/", "/orders/LK-1/calendar.ics", "/inbox/"]
)
def test_sign_in_returns_to_the_requested_page(client, noor, path):
    response = client.get(path)

    assert response.status_code == 302
    assert response["Location"] == f"/sign-in/?next={quote(path, safe='')}"
    page = client.get(response["Location"]).content.decode()
    assert f'name="next" value="{path}"' in page


@pytest.mark.parametrize(
    "where", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_never_leads_elsewhere(client, where):
    page = client.get("/sign-in/", {"next": where}).content.decode()

    assert "evil" not in page
    assert "javascript:" not in page


# The calendar ------------------------------------------------------------------------


def test_a_visit_goes_into_a_calendar_at_the_parks_own_time(signed_in, place, settings):
    place("LK-1")

    response = signed_in.get("/orders/LK-1/calendar.ics")
    event = _event(response)

    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert 'filename="LK-1.ics"' in response["Content-Disposition"]
    start = event["DTSTART"].dt
    assert (start.hour, start.minute) == (10, 30)
    assert start.utcoffset() == start.astimezone(ZoneInfo(settings.BUTLER_ZONE)).utcoffset()
    assert event["DTSTART"].params["TZID"] == settings.BUTLER_ZONE
    zones = icalendar.Calendar.from_ical(response.content).walk("VTIMEZONE")
    assert [zone["TZID"] for zone in zones] == [settings.BUTLER_ZONE]
    assert event["SUMMARY"] == "Lantern Night"
    assert b"\r\n" in response.content


def test_a_changed_visit_is_the_same_entry_and_newer(signed_in, place):
    place("LK-1")
    before = _event(signed_in.get("/orders/LK-1/calendar.ics"))
    _record_order("LK-1", "Order Amended", visit_time="12:00")
    after = _event(signed_in.get("/orders/LK-1/calendar.ics"))

    assert after["UID"] == before["UID"]
    assert after["SEQUENCE"] > before["SEQUENCE"]
    assert after["DTSTART"].dt.hour == 12


def test_a_cancelled_visit_says_so_to_the_calendar(signed_in, place):
    place("LK-1")
    _record_order("LK-1", "Order Cancelled")

    assert _event(signed_in.get("/orders/LK-1/calendar.ics"))["STATUS"] == "CANCELLED"


def test_a_visit_without_a_time_is_a_whole_day(signed_in, place):
    place("LK-1", visit_time=None)

    start = _event(signed_in.get("/orders/LK-1/calendar.ics"))["DTSTART"].dt

    assert not isinstance(start, datetime)


def test_a_cancelled_order_says_so_and_is_nothing_to_take_along(signed_in, place):
    place("LK-1")
    _record_order("LK-1", "Order Cancelled")

    page = signed_in.get("/orders/LK-1/").content.decode()

    assert '<span class="badge bad">Cancelled</span>' in tidy(page)
    assert "This order has no code for the gate." in page
    assert 'id="take"' not in page
    assert 'href="/orders/LK-1/calendar.ics" download>Remove from calendar' in tidy(page)


def test_an_order_without_a_visit_is_in_no_calendar(signed_in, place):
    place("LK-1", visit_date=None)

    assert signed_in.get("/orders/LK-1/calendar.ics").status_code == 404
    assert "calendar.ics" not in signed_in.get("/orders/LK-1/").content.decode()


def test_line_breaks_in_a_name_are_escaped_in_the_calendar(signed_in, place):
    place("LK-1", name="Fun\r\nATTENDEE:mailto:x@example.com\r\nEND:VEVENT")

    response = signed_in.get("/orders/LK-1/calendar.ics")

    assert b"\r\nATTENDEE" not in response.content
    assert "ATTENDEE" in _event(response)["SUMMARY"]


# The code ----------------------------------------------------------------------------


def test_the_code_is_a_picture_with_words_beside_it(signed_in, place):
    place("LK-1")

    code, page = signed_in.get("/orders/LK-1/code.svg"), signed_in.get("/orders/LK-1/")

    assert code["Content-Type"] == "image/svg+xml"
    assert code.content.startswith(b"<svg")
    text = _shown_code(page)
    assert codes.has_valid_check(codes.normalize(text))
    assert f"QR code of {text}." in page.content.decode()


def test_code_stays_the_same_and_is_in_the_calendar(signed_in, place):
    place("LK-1")

    pages = [signed_in.get("/orders/LK-1/") for _ in range(2)]
    event = _event(signed_in.get("/orders/LK-1/calendar.ics"))

    assert _shown_code(pages[0]) == _shown_code(pages[1])
    assert event["DESCRIPTION"] == f"Code at the gate: {_shown_code(pages[0])}"


def test_customer_changes_the_code(signed_in, place):
    place("LK-1")
    before = _shown_code(signed_in.get("/orders/LK-1/"))

    answer = signed_in.post("/orders/LK-1/codes/change/")
    page = signed_in.get(answer["Location"])

    assert _shown_code(page) != before
    assert "The earlier code does not open the gate any more." in page.content.decode()
    assert "Your ticket got a new code" in page.content.decode()


def test_customer_cannot_change_the_code_of_another_customer(signed_in, place):
    place("LK-9", of="els")

    assert signed_in.post("/orders/LK-9/codes/change/").status_code == 404
    assert signed_in.get("/orders/LK-9/code.svg").status_code == 404
    assert not TicketCode.objects.exists()


def test_order_without_a_visit_has_no_code(signed_in, place):
    place("LK-1", visit_date=None)

    assert "code.svg" not in signed_in.get("/orders/LK-1/").content.decode()


def test_each_guest_has_a_picture(signed_in, place, settings):
    settings.BUTLER_TICKETS_PER = "guest"
    place("LK-1", party=[{"name": "Noor"}, {"name": "Sam"}])

    page = signed_in.get("/orders/LK-1/").content.decode()

    assert page.count('<img class="code"') == 2
    for guest in ("1", "2"):
        assert signed_in.get(f"/orders/LK-1/code.svg?guest={guest}").status_code == 200
    assert signed_in.get("/orders/LK-1/code.svg?guest=3").status_code == 404


def _shown_code(page) -> str:
    return re.search(r'class="number"><strong>([^<]+)<', page.content.decode())[1]


def test_a_cancelled_or_claimed_order_has_no_code(signed_in, place):
    place("LK-1")
    _record_order("LK-1", "Order Cancelled")
    claimed = factories.order(
        "LK-2", ("user_id", "noor"), products=[{"line_id": "a", "price": "1"}], at=timezone.now()
    )
    factories.record(claimed, by=factories.sender(trusted=False), at=timezone.now())

    for number in ("LK-1", "LK-2"):
        assert signed_in.get(f"/orders/{number}/code.svg").status_code == 404
        assert "code.svg" not in signed_in.get(f"/orders/{number}/").content.decode()


def test_page_says_what_is_only_requested(signed_in, noor, place):
    place("LK-1")
    by = ChangeAuthor(internal_sources.signed_in_sender("customer portal", "web"))
    order = {"lines": [{"name": "Season pass"}], "visit_date": "2030-05-01"}
    number = order_requests.request_order(
        customer_id=noor.pk, author=by, order=order, now=timezone.now()
    ).number
    aim = actions.OrderTarget(noor.pk, "LK-1", by, timezone.now())
    change = {"lines": [{"line_id": "a", "quantity": 9}]}
    order_requests.request_change(target=aim, name="Order Change Requested", change=change)

    own, changed = (signed_in.get(f"/orders/{n}/").content.decode() for n in (number, "LK-1"))

    assert "It is valid only after we confirm it." in own
    assert "code.svg" not in own
    assert "calendar.ics" not in own
    assert signed_in.get(f"/orders/{number}/calendar.ics").status_code == 404
    assert signed_in.get(f"/orders/{number}/code.svg").status_code == 404
    assert "The order stays the same until we confirm a request." in changed
    assert "You asked to change your order: 9× Day ticket" in changed
    assert "code.svg" in changed


def test_declined_request_shows_its_reason_and_no_hint_about_a_confirmation(signed_in, noor):
    by = ChangeAuthor(internal_sources.signed_in_sender("customer portal", "web"))
    order = {"lines": [{"name": "Season pass"}], "visit_date": "2030-05-01"}
    number = order_requests.request_order(
        customer_id=noor.pk, author=by, order=order, now=timezone.now()
    ).number
    staff = ChangeAuthor(internal_sources.signed_in_sender(STAFF_CONSOLE, "console"), "staff:Sam")
    target = actions.OrderTarget(noor.pk, number, staff, timezone.now())
    order_requests.decline_request(target=target, request_id="", reason="Sold out")

    page = signed_in.get(f"/orders/{number}/").content.decode()

    assert "Sold out" in page
    assert "Order no longer valid" in page
    assert "not confirmed yet" not in page


def test_request_without_a_price_shows_no_amount(signed_in, noor):
    by = ChangeAuthor(internal_sources.signed_in_sender("customer portal", "web"))
    order = {"lines": [{"name": "Season pass", "quantity": 2}], "currency": "EUR"}
    number = order_requests.request_order(
        customer_id=noor.pk, author=by, order=order, now=timezone.now()
    ).number

    for path in ("/orders/", f"/orders/{number}/", "/"):
        page = signed_in.get(path).content.decode()

        assert "price not confirmed" in page
        assert "0.00" not in page


@pytest.mark.parametrize("path", ["/nowhere/", "/inbox/nonsense/", "/nowhere", "/%00/"])
def test_unknown_path_shows_our_own_error_page(client, settings, db, path):
    settings.DEBUG = False

    response = client.get(path)

    assert response.status_code == 404
    assert "Page not found" in response.content.decode()
    assert "unsafe" not in response["Content-Security-Policy"]


def test_order_page_shows_each_request_with_its_state_and_reason(signed_in, noor, place):
    place("LK-1")
    by = ChangeAuthor(internal_sources.signed_in_sender(CUSTOMER_PORTAL, "web"))
    for note in ("by the gate", "with a cake"):
        target = actions.OrderTarget(noor.pk, "LK-1", by, timezone.now())
        order_requests.request_change(
            target=target, name="Order Change Requested", change={"note": note}
        )
    staff = ChangeAuthor(internal_sources.signed_in_sender(STAFF_CONSOLE, "console"), "staff:Sam")
    order_requests.decline_request(
        target=actions.OrderTarget(noor.pk, "LK-1", staff, timezone.now()),
        request_id=Order.objects.get(number="LK-1").requests[0]["id"],
        reason="No room there",
    )

    page = signed_in.get("/orders/LK-1/").content.decode()

    assert page.index("with a cake") < page.index("by the gate")
    assert "Waits for our answer" in page
    assert "Declined" in page
    assert "No room there" in page


def test_new_request_of_a_changed_order_is_checked_again(signed_in, noor, place):
    place("LK-1")
    by = ChangeAuthor(internal_sources.signed_in_sender(CUSTOMER_PORTAL, "web"))
    target = actions.OrderTarget(noor.pk, "LK-1", by, timezone.now())
    order_requests.request_change(
        target=target, name="Order Change Requested", change={"note": "by the gate"}
    )
    _record_order("LK-1", "Order Amended", note="Parking closed")

    assert "so we check it again" in signed_in.get("/orders/LK-1/").content.decode()
