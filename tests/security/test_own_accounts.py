"""Attacks with the choice, the join and the refusal of the accounts of a mailbox."""

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from customers.models import Customer, Identifier, Merge
from tests.customers.identity.address_app import AddressApp
from tests.customers.identity.company import WireSource, are_one, record_of, timeline
from tests.customers.identity.signed_in import SignedIn
from tests.customers.identity.signed_in_app import SignedInApp, click
from tests.security.test_address_changes import link_for, press

pytestmark = pytest.mark.django_db

BOX = "family@mail.example.org"


def create_shop(*users: str, addresses: str = "checked", name: str = "Shop") -> WireSource:
    """Return a shop whose users all state the mailbox and have an order each."""
    shop = WireSource(name, "server", ids=name.lower(), addresses=addresses)
    for hour, user in enumerate(users, start=1):
        shop.identify(hour, user, email=BOX)
        shop.order(hour + 300, f"ORDER-{user}", user)
    return shop


def account_id(shop: WireSource, user: str) -> int:
    kind, value = shop.account(user)
    return Identifier.objects.get(kind=kind, value=value).pk


def test_refused_account_leaves_the_accounts_that_the_customer_joined_with_it(db):
    shop = create_shop("ann", "bram", "cas")
    session = SignedIn(BOX)
    session.post("accounts/join/")
    assert session.orders() == ["ORDER-ann", "ORDER-bram", "ORDER-cas"]

    session.post(f"accounts/{account_id(shop, 'bram')}/refuse/")

    assert session.orders() == SignedIn(BOX).orders() == ["ORDER-ann", "ORDER-cas"]
    assert not are_one(shop.account("ann"), shop.account("bram"))


def test_join_does_not_bring_a_refused_account_back(db):
    shop = create_shop("ann", "bram", "cas")
    session, refused = SignedIn(BOX), account_id(shop, "bram")
    session.post(f"accounts/{refused}/refuse/")

    session.post("accounts/join/")

    assert session.orders() == ["ORDER-ann", "ORDER-cas"]
    assert session.post(f"accounts/{refused}/open/").status_code == 404


def test_session_that_chose_an_account_loses_it_when_another_session_refuses_it(db):
    shop, app = create_shop("ann", "bram"), SignedInApp()
    session, bram = SignedIn(BOX), account_id(shop, "bram")
    session.post(f"accounts/{bram}/open/")
    assert session.orders() == ["ORDER-bram"]

    SignedIn(BOX).post(f"accounts/{bram}/refuse/")
    app.post(click(), headers={"X-Session-Token": session.token})

    assert session.orders() == ["ORDER-ann"]
    assert "Map Opened" not in timeline(shop, record_of(shop.account("bram")))


def test_devices_of_a_mailbox_do_not_hide_the_second_account_that_states_it(db):
    shop = create_shop("ann", addresses="stated")
    for first in (0, 65):
        shop.send(
            *(
                shop.event("identify", 2, traits={"email": BOX}, anonymousId=f"browser-{number}")
                for number in range(first, first + 65)
            )
        )
    shop.identify(90, "bram", email=BOX)

    session = SignedIn(BOX)

    assert session.orders() == []
    assert len(session.get("accounts/").json()["closed"]) == 2


def test_accounts_of_single_space_do_not_hide_those_of_another(db):
    create_shop(*(f"u{number}" for number in range(110)), addresses="stated", name="Other")
    shop = create_shop("ann", addresses="stated")
    shop.identify(200, "bram", email=BOX)

    assert SignedIn(BOX).orders() == []


def test_choice_of_fifty_accounts_takes_the_statements_of_single(db):
    create_shop(*(f"u{number}" for number in range(50)))
    many = SignedIn(BOX)
    other = WireSource("Site", "server", ids="site", addresses="checked")
    other.identify(1, "els", email="els@mail.example.org")
    single = SignedIn("els@mail.example.org")

    with CaptureQueriesContext(connection) as of_single:
        single.get("accounts/")
    with CaptureQueriesContext(connection) as of_many:
        answer = many.get("accounts/").json()

    assert (len(answer["accounts"]), answer["closed"]) == (50, [])
    assert len(of_many) == len(of_single) > 0


@pytest.fixture
def two_accounts(db) -> tuple[SignedIn, int, int]:
    """Return a session and two accounts that it opens, whose records have the same version."""
    shop = create_shop("ann", "bram")
    session = SignedIn(BOX)
    records = [Customer.objects.get(pk=record_of(shop.account(user))) for user in ("ann", "bram")]
    for _ in range(records[0].version - records[1].version):
        shop.track(500, "bram")
    return session, account_id(shop, "ann"), account_id(shop, "bram")


def test_copy_of_an_account_is_not_current_after_the_choice_of_another(two_accounts):
    session, ann, bram = two_accounts
    session.post(f"accounts/{ann}/open/")
    copy = session.get("")
    assert session.get("", **{"If-None-Match": copy["ETag"]}).status_code == 304

    session.post(f"accounts/{bram}/open/")
    answer = session.get("", **{"If-None-Match": copy["ETag"]})

    assert answer.status_code == 200
    assert answer.json()["version"] == copy.json()["version"]
    assert [order["number"] for order in answer.json()["orders"]] == ["ORDER-bram"]


def test_tag_of_a_record_names_its_version_in_a_change(two_accounts):
    session, ann, _ = two_accounts
    session.post(f"accounts/{ann}/open/")
    tag = session.get("")["ETag"]

    statuses = [
        session.post("party/", {"name": "Mia"}, **{"If-Match": tag}).status_code for _ in range(2)
    ]

    assert statuses == [201, 412]


def test_answer_for_one_account_is_not_repeated_for_another(two_accounts):
    session, ann, bram = two_accounts
    order, once = {"lines": [{"product": "ticket"}]}, {"Idempotency-Key": "k"}
    session.post(f"accounts/{ann}/open/")
    assert session.post("orders/", order, **once).status_code == 201
    assert session.post("orders/", order, **once)["Idempotent-Replayed"] == "true"

    session.post(f"accounts/{bram}/open/")
    repeated = session.post("orders/", order, **once)

    assert (repeated.status_code, repeated.json()["type"]) == (
        422,
        "urn:butler:problem:idempotency-key-reused",
    )


def test_cursor_of_one_account_reads_nothing_of_it_in_another(two_accounts):
    session, ann, bram = two_accounts
    session.post(f"accounts/{ann}/open/")
    following = session.get("timeline/?limit=1").json()["next"].partition("/api/me/")[2]

    session.post(f"accounts/{bram}/open/")
    page = session.get(following).json()

    numbers = {event["body"].get("properties", {}).get("order_id") for event in page["results"]}
    assert "ORDER-ann" not in numbers


@pytest.fixture
def noor_with_guest_order(db) -> AddressApp:
    """A customer whose account and whose earlier guest order are one record, by her proved mailbox."""
    shop = WireSource("Shop", "server", ids="shop", addresses="checked")
    shop.order(1, "GUEST", email=BOX)
    shop.order(2, "ACCOUNT", "noor")
    shop.identify(3, "noor", email=BOX)
    return AddressApp(BOX)


def separate(app: AddressApp) -> int:
    """Separate the joined records in the portal, and return the status of the answer."""
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = app.token
    path = f"/records/{Merge.objects.earliest('pk').pk}/separate/"
    return client.post(path, {"confirm": "yes"}).status_code


def test_customer_with_a_fresh_code_takes_her_mailbox_off(noor_with_guest_order):
    assert separate(noor_with_guest_order) == 302


@pytest.mark.usefixtures("unlimited_codes")
@pytest.mark.parametrize("proved", ["", "thief@mail.example.org"])
def test_left_session_does_not_take_a_mailbox_off_by_the_proof_of_another(
    noor_with_guest_order, proved
):
    app = noor_with_guest_order
    app.age()
    if proved:
        app.add(proved)

    assert separate(app) == 422

    assert AddressApp(BOX).orders() == ["ACCOUNT", "GUEST"]


@pytest.mark.usefixtures("unlimited_codes")
def test_frozen_addresses_are_not_joined_or_separated(noor_with_guest_order):
    """The former partner, who reads the old mailbox, stops its removal and wants another one there."""
    new, third = "noor.new@mail.example.org", "partner@mail.example.org"
    noor_with_guest_order.add(new)
    owner = AddressApp(new)
    assert owner.remove(BOX).status_code == 202
    press(link_for(BOX))
    WireSource("Site", "server", ids="site").order(5, "X-1", email=third)
    partner = AddressApp(BOX)
    assert partner.enter(*partner.ask(third)).json()["join_possible"]

    answer = partner.post("accounts/join/")

    assert (answer.status_code, answer.json()["type"]) == (
        409,
        "urn:butler:problem:changes-frozen",
    )
    assert not are_one(("email", third), ("email", BOX))
    assert separate(partner) == 422
    assert owner.states() == {BOX: "current", new: "current"}
