import re
from html import escape, unescape

import pytest
from django.utils import timezone

from customers.actions import order_requests, orders
from customers.actions.changes import ChangeAuthor
from customers.events import internal_sources
from customers.models import Order
from tests.channels.console.acting import order, page_of
from tests.markup import tidy

pytestmark = pytest.mark.django_db

FORM = {
    "key": "a1b2c3",
    "name": "Lantern Night",
    "currency": "EUR",
    "guests": "Noor, Sem",
    "line0_quantity": "2",
    "line0_name": "Day ticket",
    "line0_price": "34,50",
}


def test_price_is_shown_before_the_order_is_placed(desk, noor):
    page = desk.post(f"/console/customers/{noor.id}/new-order/", FORM).content.decode()

    assert "69.00" in page
    assert "Place order" in page
    assert not Order.objects.filter(customer=noor).exists()


def test_a_line_without_a_number_is_one_and_says_so(desk, noor):
    response = desk.post(f"/console/customers/{noor.id}/new-order/", FORM | {"line0_quantity": ""})

    assert (
        'id="line0_quantity" name="line0_quantity" inputmode="numeric" maxlength="3" value="1"'
        in tidy(response.content.decode())
    )
    assert "34.50" in response.content.decode()


def test_order_form_sent_back_stays_editable_with_its_values(desk, noor):
    response = desk.post(f"/console/customers/{noor.id}/new-order/", FORM | {"back": "yes"})

    page = response.content.decode()
    assert "Place order" not in page
    assert "Show price" in page
    assert 'value="Day ticket"' in page
    assert "readonly" not in page


def test_order_form_submitted_twice_places_one_order(desk, noor):
    for _ in range(3):
        response = desk.post(f"/console/customers/{noor.id}/new-order/", FORM | {"place": "yes"})
        assert response["Location"] == f"/console/customers/{noor.id}/"

    placed = Order.objects.get(customer=noor)
    assert (str(placed.total), placed.changed_by) == ("69.00", "staff:Sam")
    assert [guest["name"] for guest in placed.party] == ["Noor", "Sem"]


def test_reused_form_key_with_other_content_places_nothing(desk, noor):
    path = f"/console/customers/{noor.id}/new-order/"
    desk.post(path, FORM | {"place": "yes"})

    response = desk.post(path, FORM | {"place": "yes", "line0_quantity": "9"})

    assert response.status_code == 409
    assert Order.objects.filter(customer=noor).count() == 1


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"visit_date": "2020-01-01"}, "is in the past"),
        ({"visit_date": "tomorrow"}, "The date of the visit is not valid"),
        ({"visit_time": "26:00"}, "The time of arrival is not valid"),
        ({"line0_quantity": "0"}, "is not valid. Enter a number"),
        ({"line0_quantity": "²"}, "is not valid. Enter a number"),
        ({"line0_price": "1e3"}, ""),
        ({"line0_price": "-5"}, "is not valid. Enter an amount"),
        ({"line0_price": "NaN"}, "is not valid. Enter an amount"),
        ({"line0_price": "5.001"}, "is not valid. Enter an amount"),
        ({"line0_name": ""}, "no product"),
        ({"line0_name": "", "line0_price": ""}, "The order has no lines"),
        ({"currency": "€"}, "three letters"),
    ],
)
def test_invalid_order_form_shows_the_error_and_places_nothing(desk, noor, change, complaint):
    response = desk.post(
        f"/console/customers/{noor.id}/new-order/",
        FORM | change | ({"place": "yes"} if complaint else {}),
    )

    assert complaint in response.content.decode()
    assert response.status_code == (422 if complaint else 200)
    assert not Order.objects.filter(customer=noor).exists()


def test_order_form_error_links_to_its_field(desk, noor):
    change = {"visit_date": "2020-01-01", "line0_price": "-5", "line1_price": "2"}
    page = desk.post(f"/console/customers/{noor.id}/new-order/", FORM | change).content.decode()

    summary = re.search(r'id="error" role="alert" tabindex="-1" autofocus>(.*?)</div>', page, re.S)
    assert summary
    named = re.findall(r'<a href="#(\w+)">', summary[1])
    assert named == ["visit_date", "line0_price", "line1_name"]
    marked = re.findall(
        r'<input id="(\w+)"[^>]* aria-invalid="true" aria-describedby="error"', page
    )
    assert marked == ["visit_date", "line0_price", "line1_name"]


def test_an_order_is_changed_after_the_difference_was_shown(desk, noor):
    order()
    path = f"/console/customers/{noor.id}/orders/LK-1/"
    assert 'value="34.50"' in page_of(desk, path.removeprefix("/console/"))
    change = FORM | {"line0_id": "a", "line0_quantity": "3"}

    shown = desk.post(path, change).content.decode()
    assert "81.50" in shown
    assert "116.00" in shown
    assert Order.objects.get(customer=noor).status == "placed"
    desk.post(path, change | {"place": "yes"})

    placed = Order.objects.get(customer=noor)
    assert (placed.status, str(placed.total)) == ("amended", "116.00")


def test_an_order_of_many_lines_with_a_price_of_its_own_keeps_them(desk, noor):
    lines = [
        {"line_id": f"l{n}", "name": f"Thing {n}", "quantity": 1, "price": "10.00"}
        for n in range(9)
    ]
    # The agreed total is less than the sum of the lines.
    order(lines=lines, total="80.00")
    path = f"/console/customers/{noor.id}/orders/LK-1/"
    assert 'value="Thing 8"' in page_of(desk, path.removeprefix("/console/"))
    change = FORM | {
        "line0_id": "l0",
        "line0_quantity": "2",
        "line0_price": "10.00",
        "place": "yes",
    }

    shown = {name: value for name, value in change.items() if name != "place"}
    assert "90.00" in desk.post(path, shown).content.decode()
    desk.post(path, change)

    placed = Order.objects.get(customer=noor)
    assert (len(placed.lines), str(placed.total)) == (9, "90.00")


def test_a_line_and_then_the_whole_order_are_cancelled(desk, noor):
    order()
    path = f"/console/customers/{noor.id}/orders/LK-1/"

    desk.post(f"{path}lines/b/cancel/")
    assert str(Order.objects.get(customer=noor).total) == "69.00"
    desk.post(f"{path}cancel/", {"reason": "ill"})
    assert Order.objects.get(customer=noor).status == "cancelled"
    page = desk.post(f"{path}cancel/", follow=True).content.decode()

    assert "was cancelled or refunded" in page


def test_cancelled_order_shows_its_state_and_no_form(desk, noor):
    order()
    path = f"/console/customers/{noor.id}/orders/LK-1/"
    desk.post(f"{path}cancel/", {"reason": "ill"})

    page = page_of(desk, path.removeprefix("/console/"))

    assert "<h1>LK-1 is cancelled</h1>" in page
    assert "by Sam. A closed order cannot be changed." in tidy(page)
    assert "Day ticket" in page
    assert 'name="line0_name"' not in page
    assert "Cancel order" not in page
    assert f'href="/console/customers/{noor.id}/new-order/"' in page


def test_change_after_the_cancellation_is_refused(desk, noor):
    order()
    path = f"/console/customers/{noor.id}/orders/LK-1/"
    form = FORM | {"line0_id": "a", "line0_quantity": "9", "place": "yes"}
    desk.post(f"{path}cancel/")

    response = desk.post(path, form)

    assert response.status_code == 409
    assert "This order was cancelled or refunded." in response.content.decode()
    placed = Order.objects.get(customer=noor)
    assert (placed.status, placed.lines[0]["quantity"]) == ("cancelled", 2)


@pytest.mark.parametrize("number", ["LK-1/cancel", "new", "LK/lines/a/cancel", "..", "~2F"])
def test_order_with_any_number_is_changed_and_cancelled_by_the_paths_on_the_page(
    desk, noor, number
):
    order("LK-1")
    order(number)
    listed = page_of(desk, f"customers/{noor.id}/")
    paths = {unescape(href) for href in re.findall(r'href="(/console/[^"]*/orders/[^"]*)"', listed)}
    [path] = [path for path in paths if not path.endswith("/LK-1/")]

    page = desk.get(path).content.decode()
    assert escape(f"Change {number}") in page
    for action in re.findall(r'action="(/console/customers/[^"]*)"', page):
        assert desk.post(unescape(action)).status_code == 302

    assert Order.objects.get(customer=noor, number=number).status == "cancelled"
    assert Order.objects.get(customer=noor, number="LK-1").status == "placed"


@pytest.fixture
def requested(noor):
    """Create an order that Noor requested in her app, and a requested change of a placed order."""
    now = timezone.now()
    by = ChangeAuthor(internal_sources.signed_in_sender("customer app", "app"))
    lines = [{"line_id": "1", "name": "Season pass", "quantity": 50}]
    number = order_requests.request_order(
        customer_id=noor.pk, author=by, order={"lines": lines}, now=now
    ).number
    order("LK-1")
    aim = orders.OrderTarget(noor.pk, "LK-1", by, timezone.now())
    order_requests.request_change(
        target=aim, name="Order Change Requested", change={"note": "by the gate"}
    )
    return number


def test_request_without_a_price_shows_no_amount(desk, noor):
    by = ChangeAuthor(internal_sources.signed_in_sender("customer app", "app"))
    request = {"lines": [{"name": "Season pass", "quantity": 2}], "currency": "EUR"}
    number = order_requests.request_order(
        customer_id=noor.pk, author=by, order=request, now=timezone.now()
    ).number

    for path in ("", f"orders/{number}/"):
        page = page_of(desk, f"customers/{noor.id}/{path}")

        assert "€0.00" not in page
    assert "price not confirmed" in page_of(desk, f"customers/{noor.id}/")


def test_staff_see_what_a_customer_requested_and_confirm_it(desk, noor, requested):
    page = page_of(desk, f"customers/{noor.id}/")
    assert "requested, not confirmed" in page
    assert "Order change requested" in page
    assert "by the gate" in page

    for number in (requested, "LK-1"):
        desk.post(f"/console/customers/{noor.id}/orders/{number}/confirm/")

    orders = {
        stored_order.number: stored_order for stored_order in Order.objects.filter(customer=noor)
    }
    assert (orders[requested].status, orders[requested].changed_by) == ("placed", "staff:Sam")
    assert (orders["LK-1"].details["note"], orders["LK-1"].requested_changes) == ("by the gate", [])


def test_staff_decline_what_a_customer_requested(desk, noor, requested):
    for number in (requested, "LK-1"):
        desk.post(f"/console/customers/{noor.id}/orders/{number}/decline/")

    orders = {
        stored_order.number: stored_order for stored_order in Order.objects.filter(customer=noor)
    }
    assert orders[requested].status == "declined"
    assert (orders["LK-1"].status, orders["LK-1"].requested_changes) == ("placed", [])
    again = desk.post(f"/console/customers/{noor.id}/orders/LK-1/decline/", follow=True)
    assert "already confirmed or declined this request" in again.content.decode()
