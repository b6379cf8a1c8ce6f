"""The history before the silence of an address opens by one more fact, or by two colleagues."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from customers.actions import sign_in
from customers.actions.earlier_history import MAX_TRIES
from customers.models import Event, HistoryOpening, User
from tests import staff
from tests.customers.identity.company import WireSource, email, record_of
from tests.customers.identity.signed_in import SignedIn
from tests.customers.identity.test_silences import (
    BOX,
    CARD,
    LATELY,
    LONG_AGO,
    hours_until_now,
    silent_until,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> WireSource:
    return WireSource("Shop", "server", ids="shop", addresses="stated")


def send_fact(session: SignedIn, **fields: str) -> int:
    return session.post("earlier-history/", fields).status_code


# One more fact ----------------------------------------------------------------------------


@pytest.fixture
def returning(shop) -> SignedIn:
    """A customer with facts, who comes back after two years."""
    app = WireSource("App", "app", ids="app", addresses="checked")
    app.identify(
        LONG_AGO, "noor", email=BOX, card=CARD, name="Noor de Wit", birth_date="1990-05-17"
    )
    shop.order(LONG_AGO, "1001", "", email=BOX)
    return SignedIn(BOX)


@pytest.mark.parametrize(
    "fields",
    [
        {"order_number": "#1001", "order_total": "€ 10,00"},
        {"order_number": "1001", "order_total": "10"},
        {"card": "lf 7001 0042"},
        {"last_name": "de wit", "birth_date": "1990-05-17"},
        {"last_name": "Wit", "birth_date": "1990-05-17"},
    ],
)
def test_fact_opens_the_history_in_this_session_and_the_next(returning, fields):
    assert send_fact(returning, **fields) == 204

    assert returning.orders() == ["1001"]
    assert returning.get("consents/").status_code == 200
    assert SignedIn(BOX).orders() == ["1001"]
    assert HistoryOpening.objects.get().opened_by == "customer"
    assert Event.objects.filter(name="Earlier History Opened").count() == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"order_number": "1001", "order_total": "11"},
        {"order_number": "1002", "order_total": "10"},
        {"card": "LF-70010043"},
        {"card": "0042"},
        {"last_name": "Bakker", "birth_date": "1990-05-17"},
        {"last_name": "de Wit", "birth_date": "1990-05-18"},
        {"last_name": "Noor", "birth_date": "1990-05-17"},
    ],
)
def test_wrong_fact_opens_nothing_and_answers_as_an_unknown_one(returning, fields):
    wrong = returning.post("earlier-history/", fields)
    unknown = returning.post("earlier-history/", {"card": "ZZ-99999999"})

    assert (wrong.status_code, wrong.content) == (403, unknown.content)
    assert returning.orders() == []


@pytest.mark.parametrize(
    "fields", [{}, {"order_number": "1001"}, {"last_name": "de Wit"}, {"order_total": "10"}]
)
def test_half_a_fact_is_refused_and_takes_no_try(returning, fields):
    assert send_fact(returning, **fields) == 422
    assert HistoryOpening.objects.count() == 0


def test_ten_tries_in_all_sessions_then_staff_alone_open(returning):
    sessions = [returning, SignedIn(BOX)]
    for number in range(MAX_TRIES):
        assert send_fact(sessions[number % 2], card=f"ZZ-9999999{number}") == 403

    right = sessions[0].post("earlier-history/", {"card": CARD})
    later = SignedIn(BOX).post("earlier-history/", {"card": CARD})

    assert right.json()["type"].endswith("too-many-tries")
    assert later.json()["type"].endswith("too-many-tries")
    assert returning.orders() == []


def test_fact_of_after_the_silence_is_none(returning, shop):
    """The next holder knows the own order, and what the own checkout said about the address."""
    shop.order(hours_until_now(), "NEW-2", "", email=BOX)
    shop.identify(
        hours_until_now(),
        email=BOX,
        last_name="Jansen",
        birth_date="1980-01-01",
        card="JJ-80808080",
    )

    later_facts: list[dict[str, Any]] = [
        {"order_number": "NEW-2", "order_total": "10"},
        {"last_name": "Jansen", "birth_date": "1980-01-01"},
        {"card": "JJ-80808080"},
    ]
    assert [send_fact(returning, **each) for each in later_facts] == [403, 403, 403]
    assert returning.orders() == ["NEW-2"]


def test_order_that_cost_nothing_is_no_fact(shop):
    properties = {"order_id": "FREE-1", "total": "0", "currency": "EUR"}
    shop.track(LONG_AGO, "", "Order Completed", traits={"email": BOX}, properties=properties)

    assert send_fact(SignedIn(BOX), order_number="FREE-1", order_total="0") == 403


def test_fact_of_another_customer_opens_nothing(returning, shop):
    shop.order(LONG_AGO, "OTHER-9", "", email="bram@mail.example.org")

    assert send_fact(returning, order_number="OTHER-9", order_total="10") == 403


def test_without_a_silence_there_is_nothing_to_open(shop):
    shop.order(LATELY, "NEW-2", "", email=BOX)

    assert send_fact(SignedIn(BOX), order_number="NEW-2", order_total="10") == 404


def test_next_silence_asks_again(shop):
    shop.order(2 * LONG_AGO, "OLD-1", "", email=BOX)
    for name in ("Address Proved", "Earlier History Opened"):
        sign_in.store_event(name, timezone.now() - timedelta(days=500), ("email", BOX))

    assert SignedIn(BOX).orders() == []
    assert silent_until() is not None


# Staff ------------------------------------------------------------------------------------


def _open_as(colleague: User, record: UUID | None, evidence: str = "passport"):
    client = staff.let_in(Client(), colleague)
    return client.post(
        f"/api/customers/{record}/earlier-history/open/",
        {"address": BOX, "evidence": evidence},
        content_type="application/json",
    )


def test_two_colleagues_open_the_history(returning):
    record = record_of(email(BOX))
    lin, sam = (staff.colleague("manager", name) for name in ("Lin", "Sam"))

    first, again = _open_as(lin, record), _open_as(lin, record)
    assert (first.json(), again.status_code) == ({"state": "approved"}, 409)
    assert returning.orders() == []

    assert _open_as(sam, record, "letter").json() == {"state": "open"}
    assert returning.orders() == ["1001"]
    opening = HistoryOpening.objects.get()
    assert opening.evidence == "staff:Lin: passport\nstaff:Sam: letter"
    assert Event.objects.get(name="Earlier History Opened").actor == opening.opened_by != ""


def test_colleague_with_another_name_is_the_same_colleague(returning):
    record = record_of(email(BOX))
    lin = staff.colleague("manager", "Lin")
    _open_as(lin, record)
    lin.name = "Sam"
    lin.save()

    assert _open_as(lin, record).json()["type"].endswith("same-colleague")
    assert returning.orders() == []


def test_colleague_does_not_open_the_history_of_the_own_mailbox(returning):
    sam = staff.colleague("manager", "Sam")
    User.objects.filter(email=BOX).delete()
    sam.email = BOX
    sam.save()

    assert _open_as(sam, record_of(email(BOX))).json()["type"].endswith("own-record")


def test_address_without_a_silence_has_nothing_to_open_for_staff(shop):
    shop.order(LATELY, "NEW-2", "", email=BOX)
    SignedIn(BOX)

    assert _open_as(staff.colleague("manager"), record_of(email(BOX))).status_code == 404
