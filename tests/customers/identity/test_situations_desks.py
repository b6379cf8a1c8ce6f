"""Situations of desks, tills, kiosks and partners, through the wire: what all sides see."""

import pytest

from customers.identity import normalize
from customers.identity.non_identifiers import DEFAULT_FILE, NonIdentifiers
from customers.models import Customer, Identifier
from tests import staff
from tests.channels.console.acting import page_of
from tests.channels.console.test_orders import FORM
from tests.customers.identity.company import (
    WireSource,
    are_one,
    email,
    record_of,
    shown_identifiers,
    timeline,
)
from tests.customers.identity.signed_in import SignedIn
from tests.wsgi_client import WsgiClient

pytestmark = pytest.mark.django_db

BOX, CARD, PHONE = "noor@example.com", "LF-7001", "+31612300456"


@pytest.fixture
def app():
    return WireSource("App", ids="app")


@pytest.fixture
def desk():
    return WireSource("Desk", "desk", is_shared=True)


def orders_in_her_app(app, user):
    """Return the orders that the server of her app reads on her record."""
    client = WsgiClient(headers={"Authorization": f"Bearer {app.key}"})
    response = client.get(f"/api/customers/{record_of(app.account(user))}/orders/")
    assert response.status_code == 200, response.content[:500]
    return [order["number"] for order in response.json()["results"]]


# Orders that the desk takes ------------------------------------------------------------


@pytest.mark.parametrize("traits", [{"email": BOX}, {"phone": PHONE}, {"card": CARD}], ids=str)
def test_order_of_the_desk_is_in_her_app_at_once(app, desk, traits):
    app.identify(1, "noor", email=BOX, phone=PHONE, card=CARD)

    assert desk.order(2, "D-1", **traits) == ""

    assert orders_in_her_app(app, "noor") == ["D-1"]
    assert timeline(desk, record_of(app.account("noor"))) == ["identify", "Order Completed"]


def test_customer_sees_the_order_of_the_desk_with_her_mailbox(app, desk):
    app.identify(1, "noor", email=BOX, phone=PHONE)
    desk.order(2, "D-1", email=BOX)

    assert SignedIn(BOX).orders() == ["D-1"]


def test_order_with_her_record_open_is_in_her_app_at_once(app, client):
    app.identify(1, "noor", email=BOX)
    noor = record_of(email(BOX))
    sam = staff.let_in(client, staff.colleague("desk"))
    sam.post(f"/console/customers/{noor}/new-order/", FORM | {"place": "yes"})

    placed = orders_in_her_app(app, "noor")
    assert len(placed) == 1
    assert placed[0] in page_of(sam, f"customers/{noor}/")
    assert SignedIn(BOX).orders() == placed


# Tills, kiosks, tablets ----------------------------------------------------------------


def test_till_that_comes_late_with_an_earlier_time_takes_nothing(app, till):
    app.identify(5, "noor", email=BOX, card=CARD)

    assert till.track(1, "noor-at-till", "Purchase", traits={"email": BOX, "card": CARD}) == ""

    assert are_one(app.account("noor"), email(BOX))
    assert not are_one(app.account("noor"), till.account("noor-at-till"))
    assert timeline(till, record_of(app.account("noor"))) == ["identify"]
    assert SignedIn(BOX).timeline()[0] == "identify"


def test_kiosk_joins_nobody_who_used_it_on_a_day_or_later(app):
    kiosk = WireSource("Kiosk", "kiosk", is_shared=True)
    for hour, user in ((1, "noor"), (2, "sam"), (30, "lin")):
        app.identify(hour, user, email=f"{user}@example.com")
        kiosk.track(
            hour, name="Map Opened", anonymousId="kiosk-1", traits={"email": f"{user}@example.com"}
        )

    assert len({record_of(app.account(user)) for user in ("noor", "sam", "lin")}) == 3
    for user in ("noor", "sam", "lin"):
        assert timeline(kiosk, record_of(app.account(user))) == ["identify", "Map Opened"]


def test_family_tablet_is_on_nobody_beyond_a_day(app):
    app.track(1, "noor", anonymousId="tablet")
    app.track(2, name="Page Viewed", anonymousId="tablet")
    assert timeline(app, record_of(app.account("noor"))) == ["Ride Entered", "Page Viewed"]

    assert app.track(50, "sam", anonymousId="tablet") == ""

    app.track(60, name="Photo Viewed", anonymousId="tablet")
    for user in ("noor", "sam"):
        assert timeline(app, record_of(app.account(user))) == ["Ride Entered"]
    tablet = Identifier.objects.get(kind="anonymous_id")
    assert timeline(app, tablet.customer_id or tablet.record_id) == ["Page Viewed", "Photo Viewed"]


def test_address_of_the_company_that_the_till_types_is_on_no_record(app, till, monkeypatch):
    rules = NonIdentifiers(allows_reserved_domains=True, own_addresses=["larkmoor.example"])
    monkeypatch.setattr(normalize, "_non_identifiers", rules.add(DEFAULT_FILE))
    records = Customer.objects.count()

    warnings = [
        till.order(hour, f"T-{hour}", email="desk@larkmoor.example", card=f"LF-700{hour}")
        for hour in (1, 2)
    ]

    assert warnings == ["non_identifier;count=1"] * 2
    assert not Identifier.objects.filter(kind="email").exists()
    assert Customer.objects.count() == records + 2


def test_partner_sees_its_guest_and_the_customer_nothing_of_the_partner(app):
    app.identify(1, "noor", email=BOX)
    partner = WireSource("Hotel", "partner")

    assert partner.order(2, "H-1", "guest-9", email=BOX) == ""

    assert timeline(partner, record_of(partner.account("guest-9"))) == ["Order Completed"]
    assert shown_identifiers(app, record_of(email(BOX))) == {"user_id noor", f"email {BOX}"}
    assert SignedIn(BOX).orders() == []
