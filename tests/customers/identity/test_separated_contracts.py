"""Staff separate one of several contracts of a customer from one identifier of the customer."""

from datetime import timedelta
from itertools import permutations

import pytest

from customers.identity import decisions
from customers.models import Identifier
from tests.customers.graph import misplaced_identifiers
from tests.customers.identity.company import START, WireSource, are_one, email, record_of

pytestmark = pytest.mark.django_db

SAM, OFFICE, CONTRACT = "sam@example.com", "info@example.com", "1"


class Contracts:
    """A source whose customers have several contracts, and the acts of staff on one of them."""

    def __init__(self):
        self.source = WireSource("Contracts", "site", ids="contracts", per_person="several")
        self.source.identify(1, CONTRACT, email=OFFICE)
        WireSource("Shop", "site", ids="shop").identify(1, "sam", email=SAM)
        self.contract = self.source.account(CONTRACT)
        self.now = START + timedelta(hours=2)

    def decide(self, kind, *ends):
        self.now += timedelta(hours=1)
        ids = [Identifier.objects.filter(kind=k, value=v).earliest("pk").pk for k, v in ends]
        decisions.decide(kind, *ids, actor="staff:lin", now=self.now)


@pytest.fixture
def contracts():
    return Contracts()


@pytest.mark.parametrize("order", list(permutations(("mailboxes", "contract", "apart"))))
def test_separation_from_one_mailbox_outweighs_the_merge_with_another(contracts, order):
    sam, office, contract = email(SAM), email(OFFICE), contracts.contract
    acts = {
        "mailboxes": ("merge", sam, office),
        "contract": ("merge", sam, contract),
        "apart": ("separate", office, contract),
    }

    for name in order:
        contracts.decide(*acts[name])

    # Of two merges that cannot both hold, the earlier one does.
    is_mailbox_first = order.index("mailboxes") < order.index("contract")
    assert are_one(sam, office) is is_mailbox_first
    assert record_of(contract) == (None if is_mailbox_first else record_of(sam))
    assert record_of(contract) != record_of(office)
    assert misplaced_identifiers() == []
