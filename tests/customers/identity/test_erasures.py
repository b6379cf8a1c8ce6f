"""No statement of a source brings an erased customer back, through the wire."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers import ingest, rebuild
from customers.actions import erasure
from customers.events import internal_sources
from customers.models import (
    Event,
    Identifier,
    QuarantinedItem,
    SourceWarning,
    Tombstone,
)
from tests.customers.graph import misplaced_identifiers, misplaced_orders, spanning_groups
from tests.customers.identity.company import START, WireSource, email, timeline
from tests.factories import identify
from tests.wsgi_client import WsgiClient

pytestmark = pytest.mark.django_db

BOX = "noor@example.com"
# The hour of the erasure.
END = 10


@pytest.fixture
def app():
    return WireSource("App", ids="app")


def current(identifier):
    """Return the identifier in its latest period."""
    kind, value = identifier
    return Identifier.objects.filter(kind=kind, value=value, evidence=2).latest("period")


def record_now(identifier):
    return current(identifier).customer_id


def erase(identifier, hour=END):
    return erasure.erase(
        customer_id=record_now(identifier),
        reason="asked by letter",
        actor="staff:pia",
        now=START + timedelta(hours=hour),
    )


def prove(address, hour):
    """Let a customer enter the code of a mailbox."""
    at = START + timedelta(hours=hour)
    ingest.store_events(
        sender=internal_sources.BUTLER, events=[identify(("email", address), at=at)], received_at=at
    )
    Identifier.objects.filter(pk=current(("email", address)).pk).update(proved_at=at)


@pytest.fixture
def noor(shop, app):
    """A customer of two sources, with an order, a card, a phone and a browser."""
    shop.identify(1, "noor", email=BOX, name="Noor", card="C-10077", phone="+31612300456")
    app.identify(2, "7", email=BOX)
    shop.order(3, "A-1", "noor")
    shop.track(4, "noor", anonymousId="cookie-1")
    old = record_now(email(BOX))
    yield old
    assert misplaced_identifiers() == []
    assert misplaced_orders() == []
    assert spanning_groups() == []
    assert all(rebuild.find_differences(ids) == [] for ids in rebuild.live_ids())


def events():
    return Event.objects.exclude(kind="identity").count()


def test_nightly_statement_about_an_erased_account_is_refused_and_not_stored(noor, shop, app):
    erase(email(BOX))
    before = events()

    assert shop.identify(11, "noor", email=BOX, name="Noor") == "erased;count=1"
    assert app.identify(12, "7", email=BOX, email_verified=True) == "erased;count=1"
    assert shop.track(13, "noor") == "erased;count=1"

    assert events() == before
    assert not QuarantinedItem.objects.exists()
    assert set(SourceWarning.objects.values_list("code", "example")) == {("erased", "")}
    assert not Identifier.objects.filter(period__gt=0).exists()


def test_answer_names_each_refused_event_to_a_secret_key(noor, shop):
    erase(email(BOX))
    response = shop.post(shop.event("identify", 11, "sam"), shop.event("identify", 12, "noor"))

    assert response.json() == {"success": True, "refused": [{"index": 1, "reason": "erased"}]}
    assert response["Butler-Accepted"] == "1"


def test_order_of_hers_starts_an_empty_record_and_then_her_account_is_accepted(noor, shop):
    erase(email(BOX))

    assert shop.order(11, "A-2", "noor") == ""
    assert shop.identify(12, "noor", email=BOX, name="Noor") == ""

    new = record_now(shop.account("noor"))
    assert new not in (noor, None)
    assert record_now(email(BOX)) == new
    assert timeline(shop, new) == ["Order Completed", "identify"]
    assert timeline(shop, noor) == ["identify", "identify", "Order Completed", "Ride Entered"]


def test_order_and_statement_of_one_batch_are_accepted_in_any_order(noor, shop):
    erase(email(BOX))
    statement = shop.event("identify", 12, "noor", traits={"email": BOX})
    order = shop.event(
        "track", 11, "noor", name="Order Completed", properties={"order_id": "A-2", "total": 1}
    )

    assert shop.send(statement, order) == ""
    assert record_now(email(BOX)) == record_now(shop.account("noor")) != noor


def test_order_that_was_erased_and_comes_again_starts_nothing(noor, shop):
    erase(email(BOX))

    assert shop.order(11, "A-1", "noor") == "erased;count=1"
    refund = shop.event("track", 12, name="Order Refunded", properties={"order_id": "A-1"})
    assert shop.send(refund) == "erased;count=1"
    assert not Identifier.objects.filter(period__gt=0).exists()


def test_number_of_an_erased_order_that_another_customer_places_is_a_new_order(noor, shop):
    erase(email(BOX))

    assert shop.order(11, "A-1", "sam") == ""
    assert timeline(shop, record_now(shop.account("sam"))) == ["Order Completed"]


def test_event_dated_before_the_erasure_is_refused_even_after_her_return(noor, shop):
    erase(email(BOX))
    shop.order(11, "A-2", "noor", email=BOX)

    assert shop.order(9, "A-3", "noor") == "erased;count=1"
    assert shop.track(9, "noor") == "erased;count=1"
    assert shop.order(9, "A-4", email=BOX) == "erased;count=1"
    assert shop.identify(9, "sam", email=BOX) == "erased;count=1"
    assert timeline(shop, record_now(shop.account("noor"))) == ["Order Completed"]


def test_repeated_message_from_before_is_refused(noor, shop):
    event = shop.event("identify", 5, "noor", traits={"email": BOX})
    shop.send(event)
    erase(email(BOX))

    assert shop.send(event) == "erased;count=1"


def test_late_order_of_another_customer_that_names_her_address_is_stored_without_it(noor, shop):
    shop.identify(5, "sam", email="sam@example.com")
    erase(email(BOX))

    assert shop.order(9, "A-9", "sam", email=BOX) == ""
    assert timeline(shop, record_now(shop.account("sam"))) == ["identify", "Order Completed"]
    assert not Identifier.objects.filter(value=BOX, period__gt=0).exists()


def test_new_account_with_the_address_is_accepted_and_empty(noor, app):
    erase(email(BOX))

    assert app.identify(11, "8", email=BOX) == ""
    assert record_now(app.account("8")) == record_now(email(BOX)) != noor
    assert app.identify(12, "7", email=BOX) == "erased;count=1"


def test_recycled_mailbox_shows_its_new_holder_nothing_of_the_earlier(noor, shop):
    erase(email(BOX))
    prove(BOX, 11)
    shop.order(12, "B-1", email=BOX)

    new = record_now(email(BOX))
    assert timeline(shop, new) == ["identify", "Order Completed"]
    assert shop.order(9, "A-9", email=BOX) == "erased;count=1"


def test_recycled_number_is_free_for_its_new_holder(noor, shop):
    erase(email(BOX))

    assert shop.identify(11, "sam", phone="+31612300456") == ""
    assert record_now(("phone", "+31612300456")) == record_now(shop.account("sam"))
    assert timeline(shop, record_now(shop.account("sam"))) == ["identify"]


def test_account_is_accepted_within_a_year_after_she_proved_its_mailbox(noor, shop):
    erase(email(BOX))
    prove(BOX, 11)

    assert shop.identify(12, "noor", name="Noor") == "erased;count=1"
    assert shop.identify(12, "noor", email=BOX, name="Noor") == ""
    assert record_now(shop.account("noor")) == record_now(email(BOX)) != noor
    assert shop.track(13, "noor") == ""


def test_account_stays_refused_if_its_mailbox_is_proved_after_a_year(noor, shop):
    start = START - timedelta(days=400)
    Identifier.objects.filter(value=BOX).update(first_seen_at=start)
    erase(email(BOX), hour=-24 * 370)
    prove(BOX, 11)

    assert shop.identify(12, "noor", email=BOX) == "erased;count=1"


def test_browser_and_card_do_not_lead_back_to_the_erased_record(noor, shop):
    erase(email(BOX))
    browser = WireSource("Web", "site", is_secret=False)
    browser.send(browser.event("page", 11, anonymousId="cookie-1", name="Home"))
    assert shop.identify(12, "sam", card="C-10077") == ""

    cookie = Identifier.objects.filter(kind="anonymous_id", value="cookie-1").latest("period")
    assert cookie.customer_id not in (noor, None)
    assert record_now(("card", "C10077")) == noor


def test_erasing_twice_is_one_erasure_and_erasing_her_again_is_another(noor, shop):
    first, again = erase(email(BOX)), erase(email(BOX), hour=11)
    assert (first.is_new, again.is_new) == (True, False)
    assert first.erasure == again.erasure

    shop.order(12, "A-2", "noor", email=BOX)
    shop.identify(12, "noor", email=BOX)
    assert erase(email(BOX), hour=13).is_new
    assert shop.identify(14, "noor", email=BOX) == "erased;count=1"

    shop.order(15, "A-5", "noor")
    assert current(shop.account("noor")).period == 2
    assert timeline(shop, record_now(shop.account("noor"))) == ["Order Completed"]


def test_contested_account_gets_the_mailbox_after_the_erasure_and_nothing_of_it(noor, app):
    app.identify(5, "8", email=BOX)
    erase(email(BOX))

    assert app.identify(11, "8", email=BOX) == ""
    assert record_now(email(BOX)) == record_now(app.account("8")) != noor
    assert timeline(app, record_now(email(BOX))) == ["identify", "identify"]


def test_value_that_only_the_erased_record_kept_from_another_is_attached_there_now(shop):
    shop.identify(1, "noor", email=BOX, phone="+31612300456")
    shop.identify(2, "sam", email="sam@example.com", phone="+31612300456")
    assert Identifier.objects.get(kind="phone").is_shared

    erase(email(BOX))

    assert record_now(("phone", "+31612300456")) == record_now(shop.account("sam"))
    assert misplaced_identifiers() == spanning_groups() == []


def test_tombstones_contain_no_identifier(noor):
    erase(email(BOX))

    stored = b"".join(
        bytes(digest) for digest in Tombstone.objects.values_list("digest", flat=True)
    )
    # Two of the identifiers are numbers of named spaces, which have a tombstone of the space, too.
    assert Tombstone.objects.count() == Identifier.objects.count() + 2
    assert b"noor" not in stored


def test_digest_needs_the_key_of_the_installation(noor, shop, settings):
    erase(email(BOX))
    settings.ERASURE_KEY = "another key"

    assert shop.identify(11, "noor", email=BOX) == ""


def test_erasure_costs_an_ingested_batch_no_statement(noor, shop):
    def statements(hour):
        with CaptureQueriesContext(connection) as captured:
            shop.track(hour, "sam", email="sam@example.com")
        return [query["sql"] for query in captured]

    shop.identify(5, "sam", email="sam@example.com")
    statements(6)
    before = len(statements(7))
    erase(email(BOX))
    assert len(statements(11)) == before


def test_search_and_lookup_no_longer_lead_to_the_erased_record(noor, shop):
    erase(email(BOX))
    headers = {"Authorization": f"Bearer {shop.key}"}
    client = WsgiClient(headers=headers)

    for name in ("email:" + BOX, "user_id:noor", "order:A-1", "phone:+31612300456"):
        response = client.get("/api/customers/", {"identifier": name})
        assert (response.status_code, response.json()["results"]) == (200, [])
    assert client.get("/api/customers/search/", {"q": "Noor"}).json()["results"] == []
