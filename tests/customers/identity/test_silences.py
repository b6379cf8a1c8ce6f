"""A mailbox that was silent for a year: a code opens what is later, and the rest with one more fact.

docs/reference/identity.md ("Silence") has the rules. START is the day of the last hours; the events
before the silence are two years older.
"""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from customers.actions import sign_in
from customers.identity import decisions
from customers.identity.links import DecisionKind
from customers.identity.silences import note_silences, restore_silences
from customers.models import Customer, Identifier
from tests import factories
from tests.customers.identity.company import START, WireSource, are_one, email, record_of
from tests.customers.identity.signed_in import SignedIn
from tests.identity_tokens import identity_secret, sign
from tests.wsgi_client import WsgiClient

pytestmark = pytest.mark.django_db

BOX, CARD = "noor@mail.example.org", "LF-70010042"
# Hours of `company.START`: about two years, fifteen months and half a year before it.
LONG_AGO, AFTERWARDS, LATELY = -17_000.0, -11_000.0, -4_000.0


@pytest.fixture
def shop() -> WireSource:
    return WireSource("Shop", "server", ids="shop", addresses="stated")


def silent_until(address: str = BOX) -> datetime | None:
    return (
        Identifier.objects.filter(kind="email", value=address, evidence=2).latest("pk").silent_until
    )


def hours_until_now() -> float:
    return (timezone.now() - START).total_seconds() / 3600


# When an address is silent ------------------------------------------------------------


def test_code_after_a_year_without_an_order_opens_no_earlier_order(shop):
    shop.order(LONG_AGO, "OLD-1", "", email=BOX)

    session = SignedIn(BOX)

    assert session.orders() == []
    assert "Order Completed" not in session.timeline()
    assert session.get("earlier-history/").json()["closed_before"] is not None


@pytest.mark.parametrize("hour", [LATELY, -8_000.0])
def test_order_within_the_year_opens_everything(shop, hour):
    shop.order(LONG_AGO + 8_000, "OLD-1", "", email=BOX)
    shop.order(hour, "NEW-2", "", email=BOX)

    session = SignedIn(BOX)

    assert session.orders() == ["NEW-2", "OLD-1"]
    assert session.get("earlier-history/").json() == {"closed_before": None}


def test_order_of_the_next_holder_before_the_sign_in_opens_that_order_alone(shop):
    shop.order(LONG_AGO, "OLD-1", "", email=BOX)
    shop.order(-24, "NEW-2", "", email=BOX)

    assert SignedIn(BOX).orders() == ["NEW-2"]


def test_first_sign_in_of_a_mailbox_without_a_past_is_no_silence():
    session = SignedIn(BOX)

    assert session.get("earlier-history/").json() == {"closed_before": None}
    assert session.get("consents/").status_code == 200


def test_nightly_statements_of_a_source_do_not_end_a_silence(shop):
    shop.order(LONG_AGO, "OLD-1", "", email=BOX)
    for hour in range(-16_000, 0, 2_000):
        shop.identify(hour, email=BOX, nickname="of the earlier holder")

    session = SignedIn(BOX)

    assert session.orders() == []
    assert "of the earlier holder" not in session.get("").content.decode()
    assert "of the earlier holder" not in session.get("timeline/").content.decode()


def test_statements_after_the_sign_in_show_nothing_of_the_earlier_holder(shop):
    shop.order(LONG_AGO, "OLD-1", "", email=BOX)
    session = SignedIn(BOX)

    shop.identify(hours_until_now() + 1, email=BOX, nickname="of the earlier holder")

    assert "of the earlier holder" not in session.get("").content.decode()
    assert "of the earlier holder" not in session.get("timeline/").content.decode()


def test_sign_in_within_the_year_keeps_the_history_open(shop):
    shop.order(LONG_AGO, "OLD-1", "", email=BOX)
    for days in (500, 200):
        sign_in.store_event("Address Proved", timezone.now() - timedelta(days=days), ("email", BOX))

    assert SignedIn(BOX).orders() == ["OLD-1"]


def test_next_holder_who_signs_in_every_month_opens_nothing_earlier(shop):
    shop.order(LONG_AGO, "OLD-1", "", email=BOX)
    for days in range(300, 0, -30):
        sign_in.store_event("Address Proved", timezone.now() - timedelta(days=days), ("email", BOX))

    assert SignedIn(BOX).orders() == []


def test_orders_of_the_account_that_name_the_address_count(shop):
    shop.identify(LONG_AGO, "noor", email=BOX)
    shop.order(AFTERWARDS, "OLD-1", "noor", email=BOX)
    shop.order(LATELY, "NEW-2", "noor", email=BOX)

    assert SignedIn(BOX).orders() == ["NEW-2", "OLD-1"]


def test_orders_of_the_account_alone_do_not_count(shop):
    """The account is in use, but perhaps without the mailbox."""
    shop.identify(LONG_AGO, "noor", email=BOX)
    shop.order(LATELY, "NEW-2", "noor")

    session = SignedIn(BOX)

    assert session.orders() == []
    assert [account["source"] for account in session.get("accounts/").json()["closed"]] == ["Shop"]


def test_claims_of_a_publishable_key_do_not_end_a_silence(shop):
    shop.order(LONG_AGO, "OLD-1", "", email=BOX)
    site = WireSource("Site", "site", is_secret=False)
    for hour in (-16_000, -8_000, -20):
        site.track(hour, name="Page Seen", traits={"email": BOX})

    assert SignedIn(BOX).orders() == []


def test_late_event_fills_the_silence_at_the_next_proof(shop):
    shop.order(LONG_AGO, "OLD-1", "", email=BOX)
    SignedIn(BOX)
    shop.order(AFTERWARDS, "BETWEEN-2", "", email=BOX)
    shop.order(LATELY, "LATE-3", "", email=BOX)

    assert SignedIn(BOX).orders() == ["BETWEEN-2", "LATE-3", "OLD-1"]


def test_rebuild_finds_the_same_silence(shop):
    shop.order(LONG_AGO, "OLD-1", "", email=BOX)
    SignedIn(BOX)
    noted, ids = silent_until(), list(Identifier.objects.values_list("pk", flat=True))
    Identifier.objects.update(silent_until=None)

    assert restore_silences(ids) == 1
    assert silent_until() == noted is not None
    assert restore_silences(ids) == 0


# The closed history ---------------------------------------------------------------------


def test_accounts_cards_and_mail_of_before_stay_closed(shop):
    checked = WireSource("App", "app", ids="app", addresses="checked")
    checked.identify(LONG_AGO, "noor", email=BOX, card=CARD, name="Noor de Wit")
    checked.order(LONG_AGO + 1, "OLD-1", "noor")
    WireSource("Till", "till").order(LATELY, "TILL-2", "", card=CARD)
    box = Customer(pk=record_of(email(BOX)))
    old = factories.message(box, subject="Old mail", channel="email", address=BOX)
    type(old).objects.update(created_at=timezone.now() - timedelta(days=500))
    factories.message(box, subject="Inbox of before")

    session = SignedIn(BOX)

    assert session.identifiers() == {f"email {BOX}"}
    assert session.orders() == []
    assert session.get("messages/").json()["results"] == []
    for path in ("consents/", "preferences/", "why/", "ledger/", "access-log/"):
        answer = session.get(path)
        assert (answer.status_code, answer.json()["type"][-14:]) == (403, "history-closed"), path
    assert "Noor de Wit" not in session.get("").content.decode()


def test_account_that_the_next_holder_makes_opens(shop):
    shop.identify(LONG_AGO, "earlier", email=BOX)
    shop.order(LONG_AGO, "OLD-1", "earlier")
    SignedIn(BOX)
    shop.identify(hours_until_now(), "next", email=BOX)
    shop.order(hours_until_now(), "NEW-2", "next")

    session = SignedIn(BOX)
    accounts = session.get("accounts/").json()["accounts"]
    [own] = [account for account in accounts if account["sources"]]
    session.post(f"accounts/{own['id']}/open/")

    assert session.orders() == ["NEW-2"]
    assert not are_one(shop.account("earlier"), shop.account("next"))


def test_next_holder_joins_no_record_of_before(shop):
    shop.identify(LONG_AGO, "earlier", email=BOX)
    shop.identify(hours_until_now(), "next", email=BOX)
    session = SignedIn(BOX)
    shop.identify(hours_until_now(), "next", email=BOX)

    answer = session.post("accounts/join/")

    assert not are_one(shop.account("earlier"), shop.account("next"))
    assert answer.status_code == 403


def test_later_event_about_an_earlier_order_shows_nothing(shop):
    shop.order(LONG_AGO, "OLD-1", "", email=BOX)
    session = SignedIn(BOX)

    shop.track(
        hours_until_now(),
        "",
        "Order Refunded",
        traits={"email": BOX},
        properties={"order_id": "OLD-1"},
    )

    assert session.orders() == []
    assert session.get("orders/OLD-1/").status_code == 404
    assert "OLD-1" not in session.get("timeline/").content.decode()


def test_order_after_the_silence_is_shown(shop):
    shop.order(LONG_AGO, "OLD-1", "", email=BOX)
    session = SignedIn(BOX)

    shop.order(hours_until_now(), "NEW-2", "", email=BOX)

    assert session.orders() == ["NEW-2"]
    assert session.get("orders/NEW-2/").status_code == 200


def test_addresses_of_the_record_do_not_change_before_the_fact(shop):
    shop.identify(LONG_AGO, "noor", email=BOX)
    session = SignedIn(BOX)
    [address] = session.get("addresses/").json()["addresses"]

    for path in ("prefer/", "join/", "lift/"):
        answer = session.post(f"addresses/{address['id']}/{path}")
        assert (answer.status_code, answer.json()["type"][-14:]) == (403, "history-closed"), path


def test_account_token_opens_the_history_of_its_confirmed_mailbox(shop):
    app = WireSource("App", "app", ids="app", addresses="checked")
    app.identify(LONG_AGO, "noor", email=BOX)
    shop.order(LONG_AGO + 1, "OLD-1", "", email=BOX)
    SignedIn(BOX)

    token = sign(app.source, identity_secret(app.source), "noor")
    answer = WsgiClient(headers={"X-Identity-Token": token}).get("/api/me/orders/")

    assert [order["number"] for order in answer.json()["results"]] == ["OLD-1"]


# A statement for somebody else ---------------------------------------------------------------


def test_statement_for_somebody_else_is_contested_and_starts_no_period(shop):
    shop.identify(LATELY, "noor", email=BOX, email_verified=True)
    shop.order(LATELY, "A-1", "noor")

    warning = shop.identify(-2, "bram", email=BOX)

    assert warning.startswith("contested")
    assert Identifier.objects.filter(kind="email", value=BOX, evidence=2).count() == 1
    assert SignedIn(BOX).orders() == ["A-1"]


def test_phone_that_is_stated_for_somebody_else_is_shared_and_starts_no_period(shop):
    shop.identify(LATELY, "noor", phone="+31612000045")
    shop.identify(-2, "bram", phone="+31612000045")

    [phone] = Identifier.objects.filter(kind="phone", evidence=2)
    assert (phone.is_shared, phone.customer, phone.period) == (True, None, 0)


def test_silence_ends_no_period(shop):
    shop.identify(LONG_AGO, "noor", email=BOX)
    SignedIn(BOX)

    assert Identifier.objects.filter(kind="email", value=BOX, evidence=2).count() == 1
    assert are_one(email(BOX), shop.account("noor"))


def test_refusal_of_the_earlier_account_gives_the_next_holder_an_empty_start(shop):
    app = WireSource("App", "app", ids="app", addresses="checked")
    app.identify(LONG_AGO, "earlier", email=BOX)
    shop.order(LONG_AGO + 1, "OLD-1", "", email=BOX)
    session = SignedIn(BOX)
    [closed] = session.get("accounts/").json()["closed"]

    assert session.post(f"accounts/{closed['id']}/refuse/").status_code == 200
    following = SignedIn(BOX)

    assert following.get("earlier-history/").json() == {"closed_before": None}
    assert following.get("consents/").status_code == 200
    assert following.orders() == []
    app.identify(hours_until_now(), "earlier", email=BOX)
    assert not are_one(email(BOX), app.account("earlier"))


def test_merge_by_staff_opens_no_earlier_history(shop):
    shop.order(LONG_AGO, "OLD-1", "", email=BOX)
    shop.identify(LATELY, "bram")
    SignedIn(BOX)
    ends = [Identifier.objects.get(kind=kind, evidence=2) for kind in ("email", "user_id")]
    decisions.decide(
        DecisionKind.MERGE,
        ends[0].pk,
        ends[1].pk,
        actor="staff:Sam",
        now=timezone.now(),
        reason="x",
    )

    assert SignedIn(BOX).orders() == []


def test_silences_of_several_addresses_are_stored_together(shop):
    boxes = [f"box{number}@mail.example.org" for number in range(3)]
    for number, box in enumerate(boxes):
        shop.order(LONG_AGO, f"OLD-{number}", "", email=box)
        sign_in.store_event("Address Proved", timezone.now(), ("email", box))
    ids = list(Identifier.objects.filter(kind="email").values_list("pk", flat=True))

    assert (note_silences(ids), note_silences(ids)) == (3, 0)
    assert [silent_until(box) is None for box in boxes] == [False] * 3
