"""A separation by staff, and what the customer proves before and after it."""

from datetime import timedelta
from itertools import permutations

import pytest
from django.db import transaction

from customers.actions import erasure
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


class ContractSeparation(Separation):
    """A customer with a proved mailbox and a contract, which staff may separate from the mailbox."""

    def __init__(self):
        super().__init__()
        self.proves(1.5)
        self.contracts = WireSource("Contracts", ids="contracts", per_person="several")
        self.owner, self.account = self.account, self.contracts.account("c1")
        self.contracts.identify(2, "c1", email=BOX)
        kind, value = self.account
        self.ids[0] = Identifier.objects.get(kind=kind, value=value).pk

    def erase(self):
        """Erase the customer, so that the current period of the mailbox ends."""
        now = START + timedelta(hours=8)
        erasure.erase(customer_id=record_of(self.box), reason="", actor="staff:pia", now=now)


@pytest.fixture
def contract():
    yield ContractSeparation()
    assert misplaced_identifiers() == []


def test_contract_that_the_customer_proves_after_its_separation_is_attached_again(contract):
    contract.separate(3)
    assert not are_one(contract.account, contract.box)

    contract.proves(4)

    assert are_one(contract.account, contract.box, contract.owner)


def test_contract_separated_from_a_mailbox_is_not_attached_to_its_next_period(contract):
    contract.separate(3)
    assert Identifier.objects.filter(kind="email", period=1).exists()

    contract.contracts.identify(4, "c1", email=BOX)

    assert not are_one(contract.account, contract.box)


def test_separation_from_an_erased_mailbox_does_not_keep_a_contract_from_its_next_holder(contract):
    contract.separate(3)
    contract.erase()
    contract.shop.identify(9, "sam", email=BOX)

    contract.contracts.identify(10, "c1", email=BOX)

    assert are_one(contract.account, contract.box)


def test_last_decision_about_a_contract_counts_in_all_periods_of_the_mailbox(contract):
    contract.separate(3)
    merged_at = START + timedelta(hours=4)
    later = Identifier.objects.get(kind="email", period=1).pk
    decisions.decide("merge", contract.ids[0], later, actor="staff:lin", now=merged_at)
    assert are_one(contract.account, contract.box)

    contract.separate(5)

    assert not are_one(contract.account, contract.box)


def test_second_mailbox_that_a_customer_proves_for_a_contract_is_another_customer():
    contracts = WireSource("Contracts", ids="contracts", per_person="several")
    contract = contracts.account("c1")
    contracts.track(1, "c1")
    for hour, box in ((2, BOX), (3, "second@example.com")):
        event = identify(
            stored_identifier(*contract),
            email(box),
            at=START + timedelta(hours=hour),
            email_verified=True,
        )
        record(event, by=internal_sources.BUTLER)

    assert not are_one(email(BOX), email("second@example.com"))
    assert misplaced_identifiers() == []
