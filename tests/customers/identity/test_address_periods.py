"""An address that leaves its last account: its period ends, and the next one starts empty."""

from collections import Counter
from datetime import timedelta
from itertools import permutations

import pytest
from django.db import transaction

from customers import rebuild
from customers.events import internal_sources
from customers.identity import decisions, rebuilding
from customers.identity.resolution import stored_identifier
from customers.models import Event, Identifier
from tests.customers.graph import misplaced_identifiers
from tests.customers.identity.company import START, WireSource, email, timeline
from tests.customers.identity.signed_in import SignedIn
from tests.factories import identify, record
from tests.wsgi_client import WsgiClient

pytestmark = pytest.mark.django_db

BOX, NEW = "noor@example.com", "noor.new@example.com"
# The hour at which a person takes the address off.
END = 10


@pytest.fixture
def app():
    return WireSource("App", ids="app")


@pytest.fixture
def account(shop):
    """The account of a customer who proved her mailbox, and ordered with it as a guest."""
    shop.identify(1, "noor", email=BOX)
    shop.order(2, "A-1", email=BOX)
    proves(shop.account("noor"), 3)
    yield shop.account("noor")
    assert misplaced_identifiers() == []
    assert all(rebuild.find_differences(ids) == [] for ids in rebuild.live_ids())


def proves(account, hour, address=BOX):
    """Store that a customer proved an account and a mailbox in one session."""
    at = START + timedelta(hours=hour)
    event = identify(stored_identifier(*account), email(address), at=at, email_verified=True)
    record(event, by=internal_sources.BUTLER)


def period(number, address=BOX):
    """Return the identifier of an address in a period."""
    return Identifier.objects.get(kind="email", value=address, evidence=2, period=number)


def record_at(number):
    return period(number).customer_id


def account_record(account):
    kind, value = account
    return Identifier.objects.get(kind=kind, value=value).customer_id


def take_off(account, hour=END, number=0):
    """Separate the mailbox from an account, as a person does who takes it off."""
    kind, value = account
    ids = sorted((Identifier.objects.get(kind=kind, value=value).pk, period(number).pk))
    at = START + timedelta(hours=hour)
    return decisions.decide("separate", *ids, actor="staff:lin", now=at)


def rebuilt():
    identifiers = dict(Identifier.objects.order_by("pk").values_list("pk", "customer_id"))
    return rebuilding.rebuild_identities(identifiers, now=START + timedelta(days=9))


def orders_of_both_periods(shop):
    return [
        shop.event(
            "track",
            hour,
            name="Order Completed",
            traits={"email": BOX},
            properties={"order_id": id_},
        )
        for id_, hour in (("A-1", 4), ("B-1", 11))
    ]


def read(desk, path):
    """Return the results of a list of the API, as a source reads it."""
    client = WsgiClient(headers={"Authorization": f"Bearer {desk.key}"})
    return client.get(path).json()["results"]


def placement():
    """Return which identifiers are on one record, and how many events name each of them."""
    members = {}
    named = Counter(id_ for event in Event.objects.all() for id_ in event.identifier_ids)
    for row in Identifier.objects.all():
        name = row.kind, row.value, row.period
        members.setdefault(row.customer_id or row.pk, set()).add((name, named[row.pk]))
    return {frozenset(names) for names in members.values()}


def test_later_event_with_an_address_that_was_taken_off_starts_an_empty_record(shop, account):
    take_off(account)

    shop.order(11, "B-1", email=BOX)

    assert timeline(shop, record_at(1)) == ["Order Completed"]
    assert timeline(shop, record_at(0)) == ["Order Completed"]
    assert len({record_at(0), record_at(1), account_record(account)}) == 3


def test_event_dated_before_the_end_belongs_to_the_earlier_period(shop, account):
    take_off(account)

    shop.order(5, "A-2", email=BOX)
    shop.order(11, "B-1", email=BOX)

    assert timeline(shop, record_at(0)) == ["Order Completed", "Order Completed"]
    assert timeline(shop, record_at(1)) == ["Order Completed"]


def test_next_holder_who_proves_the_address_gets_no_past(shop, app, account):
    take_off(account)
    app.track(11, "sam")

    proves(app.account("sam"), 12)

    assert account_record(app.account("sam")) == record_at(1)
    assert record_at(0) not in (record_at(1), account_record(account))


def test_code_of_the_next_holder_opens_no_account_that_the_address_was_taken_off(shop, account):
    take_off(account)
    shop.order(11, "B-1", "noor")
    shop.identify(24, "noor", email=BOX)

    holder = SignedIn(BOX)

    assert holder.orders() == []
    assert holder.identifiers() == {f"email {BOX}"}


def test_nightly_repetition_restores_the_address_in_no_period(shop, app, account):
    take_off(account)
    app.identify(11, "sam", email=BOX)

    shop.identify(24, "noor", email=BOX)

    assert account_record(account) not in (record_at(0), record_at(1))
    assert account_record(app.account("sam")) == record_at(1)


def test_period_lasts_while_another_account_has_the_address(shop, app, account):
    app.identify(4, "7", email=BOX)

    take_off(account)
    shop.order(11, "B-1", email=BOX)

    assert record_at(0) == record_at(1) == account_record(app.account("7"))


def test_period_ends_when_the_last_account_loses_the_address(shop, app, account):
    app.identify(4, "7", email=BOX)
    proves(app.account("7"), 5)
    take_off(account)
    shop.order(11, "B-1", email=BOX)

    take_off(app.account("7"), hour=12, number=1)
    shop.order(13, "C-1", email=BOX)

    assert record_at(0) == record_at(1)
    assert timeline(shop, record_at(2)) == ["Order Completed"]
    assert record_at(2) != record_at(1)


def test_noted_account_holds_no_address(shop, account):
    till = WireSource("Till", "till", ids="shop")
    till.identify(4, "99", email=BOX)

    take_off(account)
    shop.order(11, "B-1", email=BOX)

    assert record_at(0) != record_at(1)


def test_unproved_address_that_is_taken_off_keeps_the_past_of_its_mailbox(shop):
    shop.order(1, "A-1", email=BOX)
    shop.identify(2, "typo", email=BOX)

    take_off(shop.account("typo"))
    shop.order(11, "B-1", email=BOX)

    assert record_at(0) == record_at(1)
    assert timeline(shop, record_at(1)) == ["Order Completed", "Order Completed"]
    assert misplaced_identifiers() == []


def test_unproved_address_that_its_source_replaces_keeps_the_past_of_its_mailbox(shop):
    shop.order(1, "A-1", email=BOX)
    shop.identify(2, "typo", email=BOX)

    shop.identify(3, "typo", email=NEW)
    shop.order(4, "B-1", email=BOX)

    assert timeline(shop, record_at(0)) == ["Order Completed", "Order Completed"]
    assert not Identifier.objects.filter(period__gt=0).exists()


def test_undo_of_the_removal_joins_both_periods_again(shop, account):
    separation = take_off(account)
    shop.order(11, "B-1", email=BOX)
    assert record_at(0) != record_at(1)

    at = START + timedelta(hours=12)
    decisions.undo_decision(decision_id=separation.pk, actor="staff:lin", now=at)

    assert record_at(0) == record_at(1) == account_record(account)


def test_second_proof_of_the_same_account_joins_both_periods_again(shop, account):
    take_off(account)
    shop.order(11, "B-1", email=BOX)

    proves(account, 12)

    assert record_at(0) == record_at(1) == account_record(account)


def test_proof_of_another_account_brings_nothing_back_to_the_first(shop, app, account):
    take_off(account)
    app.track(11, "sam")
    proves(app.account("sam"), 12)

    shop.identify(24, "noor", email=BOX)
    app.identify(25, "sam", email=BOX)

    assert record_at(0) not in (account_record(account), record_at(1))


def test_earlier_statement_of_another_account_that_comes_late_continues_the_period(
    shop, app, account
):
    take_off(account)
    shop.order(11, "B-1", email=BOX)
    assert record_at(0) != record_at(1)

    app.identify(4, "7", email=BOX)

    assert record_at(0) == record_at(1) == account_record(app.account("7"))


def test_order_of_arrival_and_a_rebuild_give_the_same_periods(shop, app):
    shop.identify(1, "noor", email=BOX)
    acts = [
        lambda: proves(shop.account("noor"), 3),
        lambda: shop.send(*orders_of_both_periods(shop)),
        lambda: app.identify(12, "sam", email=BOX),
        lambda: shop.identify(24, "noor", email=BOX),
    ]
    take_off(shop.account("noor"))
    placements = set()
    for order in permutations(acts):
        savepoint = transaction.savepoint_create()
        for act in order:
            act()
        assert misplaced_identifiers() == []
        batch = rebuilt()
        assert (batch.links, batch.changed) == (0, 0)
        placements.add(frozenset(placement()))
        transaction.savepoint_rollback(savepoint)

    assert len(placements) == 1


def test_account_with_two_periods_of_an_address_names_one_mailbox_only(shop, app, account):
    app.identify(4, "7", email=BOX)
    take_off(account)

    for hour in range(11, 16):
        app.identify(hour, "7", email=BOX)

    assert record_at(0) == record_at(1) == account_record(app.account("7"))
    assert not Identifier.objects.filter(is_placeholder=True).exists()


def test_record_shows_an_address_with_two_periods_once(shop, app, account):
    app.identify(4, "7", email=BOX)
    take_off(account)
    shop.order(11, "B-1", email=BOX)

    rows = read(app, f"/api/customers/{record_at(0)}/identifiers/")

    assert [row["value"] for row in rows if row["kind"] == "email"] == [BOX]


def test_lookup_by_an_address_finds_its_present_holder_only(shop, account):
    take_off(account)
    shop.order(11, "B-1", email=BOX)

    rows = read(shop, f"/api/customers/?identifier=email:{BOX}")

    assert [row["id"] for row in rows] == [str(record_at(1))]


def test_device_is_attached_to_a_record_that_was_merged_again_in_a_later_period(shop, app):
    """The account is merged with the period that began when it was separated from the mailbox."""
    shop.send(shop.event("identify", 1, traits={"email": BOX}, anonymousId="browser"))
    shop.send(shop.event("identify", 2, "noor", anonymousId="browser"))
    mailbox = Identifier.objects.get(kind="email")
    account = Identifier.objects.get(kind="user_id")
    for hour, kind in enumerate(("merge", "separate"), start=3):
        at = START + timedelta(hours=hour)
        decisions.decide(kind, mailbox.pk, account.pk, actor="staff:lin", now=at)
    later = Identifier.objects.filter(kind="email").latest("period")
    at = START + timedelta(hours=5)
    decisions.decide("merge", account.pk, later.pk, actor="staff:lin", now=at)

    app.send(app.event("identify", 6, anonymousId="browser"))

    assert misplaced_identifiers() == []
    device = Identifier.objects.get(kind="anonymous_id")
    account.refresh_from_db()
    assert (device.customer_id, device.is_shared) == (account.customer_id, False)
