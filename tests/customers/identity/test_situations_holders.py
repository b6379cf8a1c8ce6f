"""Situations of numbers, cards and mailboxes that change or hide their holder, through the wire."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from customers.identity import decisions
from customers.models import Event, Identifier, Merge, NumberingQuestion
from customers.queries.numbering import open_questions
from tests import size, staff
from tests.customers.graph import misplaced_identifiers
from tests.customers.identity.company import (
    WireSource,
    are_one,
    email,
    record_of,
    shown_identifiers,
    timeline,
)
from tests.customers.identity.signed_in import SignedIn
from tests.factories import NOON

pytestmark = pytest.mark.django_db

BOX, CARD, PHONE = "noor@example.com", "LF-7001", "+31612300456"
YEAR = 365 * 24


def identifier(kind):
    return Identifier.objects.get(kind=kind)


# Holders that change -------------------------------------------------------------------


def test_recycled_number_is_on_neither_holder_until_staff_take_it_off_the_earlier_one(shop, till):
    shop.identify(1, "noor", email=BOX, phone=PHONE)
    till.track(2, name="Call Answered", traits={"phone": PHONE})

    assert shop.identify(YEAR, "sam", email="sam@example.com", phone=PHONE) == "contested;count=1"

    assert identifier("phone").is_shared
    for user in ("noor", "sam"):
        assert timeline(shop, record_of(shop.account(user))) == ["identify"]
    assert SignedIn("sam@example.com").timeline()[0] == "identify"

    colleague_separates(shop.account("noor"), ("phone", PHONE))
    till.track(YEAR + 2, name="Visit Booked", traits={"phone": PHONE})

    assert are_one(shop.account("sam"), ("phone", PHONE))
    assert "Visit Booked" in timeline(shop, record_of(shop.account("sam")))
    assert timeline(shop, record_of(shop.account("noor"))) == ["identify"]


def colleague_separates(*pair):
    first, second = (Identifier.objects.get(kind=kind, value=value).pk for kind, value in pair)
    decisions.decide("separate", first, second, actor="staff:lin", now=NOON, reason="she called")


def test_recycled_mailbox_opens_no_account_of_its_earlier_holder_that_has_another_one(shop):
    shop.identify(1, "noor", email=BOX)
    shop.order(2, "A-1", "noor")
    shop.identify(3, "noor", email="noor@work.example.com")

    assert shop.identify(2 * YEAR, "sam", email=BOX) == ""

    assert are_one(shop.account("sam"), email(BOX))
    assert not are_one(shop.account("noor"), email(BOX))
    signed_in = SignedIn(BOX)
    assert signed_in.orders() == []
    assert "user_id noor" not in signed_in.identifiers()
    assert timeline(shop, record_of(shop.account("noor"))) == [
        "identify",
        "Order Completed",
        "identify",
    ]


def test_card_that_a_stranger_stated_first_goes_to_the_customer_who_proves_it(shop, till):
    assert shop.identify(1, "squatter", email="squatter@example.com", card=CARD) == ""
    till.track(2, name="Purchase", traits={"card": CARD})
    issuer = WireSource("Card desk", "site", ids="shop", addresses="checked")

    assert issuer.identify(3, "noor", email=BOX, card=CARD) == ""
    till.track(4, name="Purchase", traits={"card": CARD})

    noor, squatter = record_of(issuer.account("noor")), record_of(shop.account("squatter"))
    assert timeline(shop, noor).count("Purchase") == 2
    assert "Purchase" not in timeline(shop, squatter)
    assert not any(name.startswith("card") for name in shown_identifiers(shop, squatter))
    assert SignedIn("squatter@example.com").timeline()[0] == "identify"


def test_mistyped_card_of_another_customer_shows_her_purchase_to_staff_until_it_is_moved(
    shop, till, client
):
    shop.identify(1, "noor", email=BOX, card=CARD)
    shop.identify(2, "sam", email="sam@example.com", card="LF-7002")

    assert till.track(3, name="Purchase", traits={"card": "LF-7002"}) == ""
    sam = record_of(shop.account("sam"))
    event = moved_back_to_noor(client, sam)

    assert event.status_code == 302
    assert timeline(shop, record_of(shop.account("noor"))) == ["identify", "Purchase"]
    assert timeline(shop, sam) == ["identify"]
    assert SignedIn("sam@example.com").timeline()[0] == "identify"


def moved_back_to_noor(client, customer_id):
    """Let staff move the purchase of a record to Noor's card."""
    lin = staff.let_in(client, staff.colleague("desk"))
    purchase = Event.objects.get(name="Purchase")
    return lin.post(
        f"/console/customers/{customer_id}/timeline/{purchase.customer_id}/{purchase.version}/move/",
        {"kind": "card", "value": CARD, "reason": "mistyped", "confirm": "yes"},
    )


def test_number_that_a_stranger_makes_a_placeholder_keeps_what_its_owner_proved(shop):
    club = WireSource("Club", "site", ids="shop", addresses="checked")
    club.identify(1, "noor", email=BOX)
    shop.order(2, "A-1", "noor")

    for number in range(8):
        shop.identify(3 + number, "noor", email=f"stranger{number}@example.com")

    assert are_one(club.account("noor"), email(BOX))
    assert not are_one(club.account("noor"), email("stranger3@example.com"))
    assert SignedIn("stranger3@example.com").orders() == []


# Many holders --------------------------------------------------------------------------


def test_switchboard_with_two_hundred_holders_is_on_none_of_them(shop):
    holders = size.examples(60, long=200)
    warnings = [
        shop.identify(number, f"u-{number}", email=f"u{number}@example.com", phone=PHONE)
        for number in range(holders)
    ]
    desk = WireSource("Desk", "phone", is_shared=True)
    desk.track(holders, name="Call Answered", traits={"phone": PHONE})

    records = {record_of(shop.account(f"u-{number}")) for number in range(holders)}
    assert len(records) == holders
    assert warnings[1:] == ["contested;count=1"] * (holders - 1)
    assert misplaced_identifiers() == []
    assert identifier("phone").is_shared
    assert timeline(desk, record_of(shop.account("u-7"))) == ["identify"]
    assert timeline(desk, identifier("phone").record_id) == ["Call Answered"]
    assert SignedIn("u7@example.com").timeline()[0] == "identify"


def test_landline_with_two_mailboxes_keeps_its_history_to_itself(shop):
    desk = WireSource("Desk", "phone", is_shared=True)
    desk.track(1, name="Call Answered", traits={"phone": PHONE})
    shop.identify(2, "noor", email=BOX, phone=PHONE)
    assert timeline(desk, record_of(shop.account("noor"))) == ["Call Answered", "identify"]

    assert shop.identify(3, "sam", email="sam@example.com", phone=PHONE) == "contested;count=1"
    desk.track(4, name="Call Missed", traits={"phone": PHONE})

    for user in ("noor", "sam"):
        assert timeline(desk, record_of(shop.account(user))) == ["identify"]
    assert timeline(desk, identifier("phone").record_id) == ["Call Answered", "Call Missed"]
    assert SignedIn(BOX).timeline()[0] == "identify"


def test_import_that_shares_thousands_of_mailboxes_asks_one_question(shop):
    shared = size.examples(400, long=80_000)
    old = WireSource("Old shop", "import", ids="shop", addresses="stated")
    warnings = set()
    for first in range(0, shared, 100):
        numbers = range(first, first + 100)
        shop.send(*(stated(shop, 1, f"s{number}", number) for number in numbers))
        warnings.add(old.send(*(stated(old, 2, f"o{number}", number) for number in numbers)))
        count_rows(first)

    assert warnings == {"contested;count=100"}
    question = NumberingQuestion.objects.get()
    assert [row.pk for row in open_questions()] == [question.pk]
    assert question.shared_mailboxes == shared
    assert are_one(shop.account("s7"), email("7@example.com"))
    assert not are_one(old.account("o7"), email("7@example.com"))
    page = staff.let_in(Client(), staff.colleague("manager")).get("/console/sources/")
    assert page.content.decode().count("number customers separately?") == 1


def count_rows(first):
    """Let Postgres count the rows and check them now and then, as it does at each commit."""
    if first % 2_000 == 0:
        connection.check_constraints()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def stated(source, hour, user, number):
    return source.event("identify", hour, user, traits={"email": f"{number}@example.com"})


def test_thousands_of_accounts_on_one_mailbox_leave_it_with_the_first(shop):
    accounts = size.examples(300, long=10_000)
    box = {"email": "info@example.com"}
    shop.send(shop.event("identify", 1, "first", traits=box))
    warnings = []
    for first in range(0, accounts, 100):
        events = (
            shop.event("identify", 2, f"u-{number}", traits=box)
            for number in range(first, first + 100)
        )
        warnings.append(shop.send(*events))
        count_rows(first)

    assert warnings == ["contested;count=100"] * (accounts // 100)
    first = record_of(shop.account("first"))
    assert shown_identifiers(shop, first) == {"user_id first", "email info@example.com"}
    assert record_of(shop.account("u-250")) != first
    assert timeline(shop, record_of(shop.account("u-250"))) == ["identify"]
    assert not NumberingQuestion.objects.exists()


# Acts ----------------------------------------------------------------------------------


def test_strangers_of_two_shops_in_main_stay_apart_and_staff_are_asked_once():
    first, second = WireSource("Shop 1", "site"), WireSource("Shop 2", "site")
    for number in range(1, 7):
        first.identify(number, f"{number}", email=f"a{number}@example.com")
        second.identify(number, f"{number}", email=f"b{number}@example.com")
    second.order(9, "B-1", "3")

    assert [question.equal_numbers for question in open_questions()] == [6]
    assert not are_one(first.account("3"), second.account("3"))
    assert timeline(first, record_of(first.account("3"))) == ["identify"]
    assert SignedIn("a3@example.com").orders() == []
    assert SignedIn("b3@example.com").orders() == ["B-1"]


def test_alias_with_a_stolen_cookie_shows_the_thief_nothing(shop):
    shop.track(1, name="Page Viewed", anonymousId="cookie")
    shop.identify(2, "noor", email=BOX, card=CARD)
    shop.send(shop.event("track", 3, "noor", name="Ride Entered", anonymousId="cookie"))
    thief = WireSource("Web page", "site", ids="shop", is_secret=False)
    before = shown_identifiers(shop, record_of(shop.account("noor")))

    assert thief.send(thief.event("alias", 4, "thief", previousId="cookie")) == ""
    assert (
        thief.send(
            thief.event(
                "alias",
                5,
                "thief",
                previousId="noor",
                context={"externalIds": [{"type": "user_id", "id": "noor"}]},
            )
        )
        == ""
    )

    assert shown_identifiers(shop, record_of(shop.account("noor"))) == before
    assert SignedIn(BOX).timeline()[0] == "Page Viewed"
    assert not Identifier.objects.filter(value__endswith="/thief", evidence=2).exists()


def test_merge_by_mistake_that_is_undone_after_a_year_gives_each_her_own(shop, client):
    shop.identify(1, "noor", email=BOX)
    shop.identify(2, "sam", email="sam@example.com")
    noor, sam = record_of(email(BOX)), record_of(email("sam@example.com"))
    decisions.merge_records(noor, sam, actor="staff:lin", now=NOON - timedelta(days=365))
    for number in range(4):
        shop.order(number * 2_000, f"N-{number}", "noor")
        shop.order(number * 2_000, f"S-{number}", "sam")
    # A merge of staff joins records for staff. It opens nothing that the customer has not proved.
    assert SignedIn(BOX).orders() == [f"N-{number}" for number in range(4)]

    lin = staff.let_in(client, staff.colleague("desk"))
    merge = Merge.objects.get()
    undo = f"/console/customers/{merge.merged_into_id}/merges/{merge.pk}/undo/"
    before, after = lin.post(undo).content.decode().split("<h2>After</h2>")
    # Two of them are from the sign-in of Noor: her address, and the account that it opened.
    assert "12 events" in before
    assert ("7 events" in after, "5 events" in after) == (True, True)
    lin.post(undo, {"confirm": "yes"})

    assert (record_of(email(BOX)), record_of(email("sam@example.com"))) == (noor, sam)
    assert SignedIn(BOX).orders() == [f"N-{number}" for number in range(4)]
    assert SignedIn("sam@example.com").orders() == [f"S-{number}" for number in range(4)]
    for record in (noor, sam):
        proofs = ("Address Proved", "Account Opened")
        shown = [name for name in timeline(shop, record) if name not in proofs]
        assert shown == ["identify"] + ["Order Completed"] * 4
