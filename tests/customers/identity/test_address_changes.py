"""The address of an account after its source names another one: current, pending or replaced."""

from datetime import timedelta
from itertools import permutations

import pytest
from django.db import transaction

from customers.events import internal_sources
from customers.identity import decisions, rebuilding
from customers.identity.resolution import stored_identifier
from customers.models import Customer, Identifier
from tests.customers.graph import misplaced_identifiers
from tests.customers.identity.company import (
    START,
    are_one,
    email,
    record_of,
    timeline,
)
from tests.factories import identify, record

pytestmark = pytest.mark.django_db

OLD, NEW, OTHER = "old@example.com", "new@example.com", "other@example.com"
PROVED = START + timedelta(hours=10)


def proves(account, address, at=PROVED):
    """Store that the customer proved an account and a mailbox in one session."""
    event = identify(stored_identifier(*account), email(address), at=at, email_verified=True)
    record(event, by=internal_sources.BUTLER)


def is_address(account, address):
    return are_one(account, email(address))


def rebuilt():
    identifiers = dict(Identifier.objects.order_by("pk").values_list("pk", "customer_id"))
    return rebuilding.rebuild_identities(identifiers, now=PROVED + timedelta(days=1))


def test_unproved_address_is_replaced_at_once(shop):
    shop.identify(1, "noor", email=OLD)
    shop.identify(2, "noor", email=NEW)

    assert is_address(shop.account("noor"), NEW)
    assert not is_address(shop.account("noor"), OLD)


def test_new_address_is_pending_beside_a_proved_one_that_no_source_stated(shop):
    account = shop.account("noor")
    shop.track(1, "noor")
    proves(account, OLD)

    shop.identify(11, "noor", email=NEW)

    assert is_address(account, OLD)
    assert record_of(email(NEW)) is None


def test_order_with_a_pending_address_alone_stays_on_its_mailbox(shop):
    account = shop.account("noor")
    shop.track(1, "noor")
    proves(account, OLD)
    shop.identify(11, "noor", email=NEW)

    shop.order(12, "A-1", email=NEW)

    assert timeline(shop, record_of(email(NEW))) == ["Order Completed"]
    assert "Order Completed" not in timeline(shop, record_of(account))


def test_nightly_repetition_of_an_address_changes_nothing_after_the_proof_of_another_one(shop):
    account = shop.account("noor")
    shop.identify(1, "noor", email=OLD)
    proves(account, NEW)

    for night in range(3):
        shop.identify(24 * (night + 1), "noor", email=OLD)

    assert are_one(account, email(NEW), email(OLD))


def test_pending_address_is_current_once_it_is_proved_too(shop):
    account = shop.account("noor")
    shop.track(1, "noor")
    proves(account, OLD)
    shop.identify(11, "noor", email=NEW)

    proves(account, NEW, at=PROVED + timedelta(hours=2))

    assert are_one(account, email(OLD), email(NEW))


def test_pending_address_is_current_once_staff_take_the_proved_one_off(shop):
    account = shop.account("noor")
    shop.track(1, "noor")
    proves(account, OLD)
    shop.identify(11, "noor", email=NEW)

    ends = (Identifier.objects.get(kind=kind, value=value) for kind, value in (account, email(OLD)))
    separation = decisions.decide(
        "separate",
        *sorted(end.pk for end in ends),
        actor="staff:lin",
        now=PROVED + timedelta(hours=2),
    )
    assert is_address(account, NEW)
    assert not is_address(account, OLD)

    decisions.undo_decision(
        decision_id=separation.pk, actor="staff:lin", now=PROVED + timedelta(hours=3)
    )
    assert is_address(account, OLD)
    assert not is_address(account, NEW)


def test_address_that_a_person_took_off_is_restored_by_no_repetition(shop):
    account = shop.account("noor")
    shop.identify(1, "noor", email=OLD)
    ends = (Identifier.objects.get(kind=kind, value=value) for kind, value in (account, email(OLD)))
    decisions.decide("separate", *sorted(end.pk for end in ends), actor="customer", now=PROVED)

    shop.identify(48, "noor", email=OLD)

    assert not is_address(account, OLD)


def test_order_of_arrival_and_a_rebuild_give_the_same_address(shop):
    account = shop.account("noor")
    shop.track(1, "noor")
    acts = [
        lambda: shop.identify(2, "noor", email=OLD),
        lambda: proves(account, NEW),
        lambda: shop.identify(12, "noor", email=OTHER),
        lambda: shop.identify(24, "noor", email=OTHER),
    ]
    for order in permutations(acts):
        savepoint = transaction.savepoint_create()
        for act in order:
            act()
        assert is_address(account, NEW)
        assert not any(is_address(account, address) for address in (OLD, OTHER))
        assert misplaced_identifiers() == []
        batch = rebuilt()
        assert (batch.links, batch.changed) == (0, 0)
        transaction.savepoint_rollback(savepoint)
    assert Customer.objects.live().exists()
