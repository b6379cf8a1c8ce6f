"""Staff look at the page of a customer as a session that proved one of her logins would show it."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.test import Client

from customers.models import AccessLogEntry, Event, Identifier, Link, User
from tests import factories, size, staff
from tests.channels.console.acting import page_of
from tests.customers import consent_helpers
from tests.customers.identity.company import WireSource, record_of
from tests.customers.identity.signed_in import SignedIn
from tests.security.openings import ALL_CASES, CASES, SESSIONS, build_world

pytestmark = pytest.mark.django_db(transaction=True)

BOX = "family@mail.example.org"


@pytest.fixture(autouse=True)
def _many_codes(settings):
    settings.BUTLER_CODES_PER_NETWORK = settings.BUTLER_CODES_PER_ADDRESS = 1000


def view(caller, login: Identifier, **query) -> str:
    """Return the part of the page that shows what the customer sees."""
    parameters = "".join(f"&{name}={value}" for name, value in query.items())
    path = f"customers/{login.customer_id}/as-customer/?login={login.pk}{parameters}"
    return unescape(page_of(caller, path).partition('id="seen"')[2])


def names_in(world, text: str, login: str) -> set[str]:
    # The view names the login in its heading.
    return {name for name, sign in world.texts.items() if sign in text and name != login}


@pytest.mark.slow
def test_view_shows_what_the_portal_shows_for_each_evidence(desk):
    consent_helpers.house()
    cases = size.examples(CASES, long=ALL_CASES)
    differences = []
    for number, case in enumerate(cases):
        world = build_world(number, *case)
        for proof in ("account", "mailbox"):
            open_session = SESSIONS[proof]
            login = world.login(proof)
            browser = Client()
            browser.cookies["sessionid"] = open_session(world)
            if login.customer_id is None:
                continue
            portal = names_in(world, browser.get("/?parts").content.decode(), proof)
            in_view = names_in(world, view(desk, login), proof)
            if portal != in_view:
                differences.append((world.name, proof, portal - in_view, in_view - portal))

    assert differences == []


@pytest.fixture
def family(db):
    """Return the mailbox of two accounts that confirmed it."""
    shop = WireSource("Shop", "server", ids="shop", addresses="checked")
    for hour, user in enumerate(("user-ann", "user-bram"), start=1):
        shop.identify(hour, user, email=BOX)
        shop.order(hour + 100, f"ORDER-{user}", user)
    return shop


def test_equal_numbers_of_two_sources_are_told_apart_by_their_sources(desk):
    for name in ("Shop", "Site"):
        source = WireSource(name, "server", ids="shop", addresses="checked")
        source.identify(1, "user-ann", email=BOX)

    page = unescape(page_of(desk, f"customers/{mailbox().customer_id}/as-customer/"))

    assert "Account user-ann of Shop" in page
    assert "Account user-ann of Site" in page


def mailbox(value: str = BOX) -> Identifier:
    return Identifier.objects.get(kind="email", value=value)


def number_of(user: str) -> Identifier:
    return Identifier.objects.get(kind="user_id", value__endswith=f"/{user}")


def test_choice_of_accounts_is_shown_without_data_and_each_account_can_be_viewed(desk, family):
    choice = view(desk, mailbox())
    assert "The customer has to choose one of several accounts first:" in choice
    assert "ORDER-" not in choice
    assert "user-ann" not in choice

    accounts = re.findall(r"account=(\d+)", choice)
    pages = [view(desk, mailbox(), account=account) for account in accounts]

    assert [re.findall(r"ORDER-user-\w+", page)[0] for page in pages] == [
        "ORDER-user-ann",
        "ORDER-user-bram",
    ]
    assert "ORDER-user-bram" not in pages[0]
    other = record_of(family.account("user-bram"))
    assert AccessLogEntry.objects.filter(customer=other, what="customer view").count() == 1


def test_address_to_confirm_and_closed_accounts_are_shown(desk):
    shop = WireSource("Shop", "server", ids="shop", addresses="stated")
    for hour, user in enumerate(("user-ann", "user-bram"), start=1):
        shop.identify(hour, user, email=BOX)
    account = number_of("user-ann")

    assert "Confirm your address to see what we have for it" in view(desk, account)
    assert "an account of\n            Shop" in view(desk, mailbox())


def test_view_opens_no_session_and_writes_only_to_the_access_log(desk, family):
    counted = (Session, User, Event, Link)
    before = [model.objects.count() for model in counted]
    links = set(Link.objects.values_list("first", "second", "evidence"))

    response = desk.get(
        f"/console/customers/{mailbox().customer_id}/as-customer/?login={mailbox().pk}"
    )

    assert [model.objects.count() for model in counted] == before
    assert set(Link.objects.values_list("first", "second", "evidence")) == links
    assert "sessionid" not in response.cookies
    [entry] = AccessLogEntry.objects.filter(what="customer view")
    assert (entry.actor, entry.reason) == ("staff:Sam", "by e-mail: a choice of accounts")


def test_access_log_tells_the_customer_what_was_shown_and_no_address(desk):
    shop = WireSource("Shop", "server", ids="shop", addresses="checked")
    shop.identify(1, "noor", email="noor@mail.example.org")
    shop.order(2, "A-1", "noor")
    view(desk, mailbox("noor@mail.example.org"))

    log = SignedIn("noor@mail.example.org").get("access-log/").json()["results"]

    assert log[0]["what"] == "customer view"
    assert log[0]["reason"].startswith("by e-mail: 1 orders, 2 events")
    assert "noor@" not in log[0]["reason"]


def test_login_of_another_customer_is_missing(desk, noor):
    other = factories.customer(("email", "eli@example.com"))

    for login in (other.identifiers.get().pk, "x", "9" * 30, "-1"):
        path = f"/console/customers/{noor.id}/as-customer/?login={login}"
        assert desk.get(path).status_code == 404


def test_address_of_a_next_holder_is_no_login_of_the_earlier_one(desk, family):
    account = number_of("user-ann")
    Identifier.objects.create(
        kind="email",
        value=BOX,
        evidence=2,
        period=1,
        first_seen_at=account.first_seen_at,
        customer=number_of("user-bram").customer,
    )

    page = page_of(desk, f"customers/{account.customer_id}/as-customer/")

    assert f"E-mail {BOX}" not in page


@pytest.mark.parametrize("missing", ["view_identifier", "view_message", "view_event"])
def test_colleague_who_may_not_see_a_part_sees_no_view(noor, missing):
    user = staff.colleague("desk", "Max")
    rights = set(user.groups.get().permissions.values_list("codename", flat=True)) - {missing}
    user.groups.clear()
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))

    answer = staff.let_in(Client(), user).get(f"/console/customers/{noor.id}/as-customer/")

    assert answer.status_code == 403


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_view_is_read_only(desk, noor, method):
    assert getattr(desk, method)(f"/console/customers/{noor.id}/as-customer/").status_code == 405
