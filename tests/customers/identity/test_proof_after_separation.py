"""A separation by staff, and what the customer proves before and after it."""

from datetime import timedelta
from itertools import permutations

import pytest
from django.db import transaction

from customers.events import internal_sources
from customers.identity import decisions, rebuilding
from customers.identity.resolution import stored_identifier
from customers.models import Identifier, Link
from tests.customers.graph import misplaced_identifiers
from tests.customers.identity.company import START, WireSource, are_one, email, record_of
from tests.factories import identify, record

pytestmark = pytest.mark.django_db

BOX = "noor@example.com"


class Separation:
    """A customer of a shop, whose account and mailbox staff may separate."""

    def __init__(self):
        self.shop = WireSource("Shop", "site", ids="shop")
        self.account, self.box = self.shop.account("noor"), email(BOX)
        self.shop.identify(1, "noor", email=BOX)
        self.ids = [Identifier.objects.get(kind=kind, value=value).pk for kind, value in self.ends]

    @property
    def ends(self):
        return self.account, self.box

    def proves(self, hour):
        """Store that the customer proved both ends in one session."""
        at = START + timedelta(hours=hour)
        event = identify(stored_identifier(*self.account), self.box, at=at, email_verified=True)
        record(event, by=internal_sources.BUTLER)

    def separate(self, hour):
        at = START + timedelta(hours=hour)
        decisions.decide("separate", *self.ids, actor="staff:lin", now=at)

    def rebuild(self):
        identifiers = dict(Identifier.objects.values_list("pk", "customer_id").order_by("pk"))
        return rebuilding.rebuild_identities(identifiers, now=START + timedelta(days=9))


@pytest.fixture
def noor():
    return Separation()


def test_second_proof_after_a_separation_joins_again(noor):
    noor.proves(2)
    noor.separate(3)
    assert not are_one(*noor.ends)

    noor.proves(4)

    assert are_one(*noor.ends)
    assert misplaced_identifiers() == []


def test_statement_of_a_source_after_a_separation_joins_nothing(noor):
    noor.proves(2)
    noor.separate(3)

    noor.shop.identify(4, "noor", email=BOX)
    WireSource("App", ids="app", addresses="checked").identify(5, "7", email=BOX)

    assert not are_one(*noor.ends)


def test_separation_after_a_proof_holds_after_a_rebuild(noor):
    noor.proves(2)
    noor.separate(3)

    rebuilt = noor.rebuild()

    assert (rebuilt.links, rebuilt.changed) == (0, 0)
    assert not are_one(*noor.ends)


def test_second_proof_is_found_on_the_log_by_a_rebuild(noor):
    noor.proves(2)
    noor.proves(4)
    # As a version of Butler stored it that kept the earliest time only.
    Link.objects.update(last_proved_at=None)
    noor.separate(3.5)
    assert not are_one(*noor.ends)

    assert noor.rebuild().links == 1

    assert are_one(*noor.ends)


def test_late_event_about_an_earlier_proof_keeps_the_last_one(noor):
    noor.proves(4)
    noor.proves(2)

    link = Link.objects.get(source_id=internal_sources.BUTLER.source_id)

    times = link.occurred_at, link.last_proved_at
    assert times == (START + timedelta(hours=2), START + timedelta(hours=4))


def test_order_of_arrival_of_proofs_and_separation_gives_the_same_records(noor):
    acts = [lambda: noor.proves(2), lambda: noor.separate(3), lambda: noor.proves(4)]
    outcomes = set()
    for order in permutations(acts):
        savepoint = transaction.savepoint_create()
        for act in order:
            act()
        outcomes.add((are_one(*noor.ends), record_of(noor.box) == record_of(noor.account)))
        assert misplaced_identifiers() == []
        transaction.savepoint_rollback(savepoint)

    assert outcomes == {(True, True)}
