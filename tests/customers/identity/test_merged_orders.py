"""Orders that staff merged with each other stay on one record."""

import pytest

from customers.identity import decisions
from customers.models import Identifier
from tests.customers.graph import misplaced_orders
from tests.customers.identity.company import START, WireSource

pytestmark = pytest.mark.django_db


def decide(kind, first, second):
    ids = [Identifier.objects.get(kind=kind_, value=value).pk for kind_, value in (first, second)]
    decisions.decide(kind, *ids, actor="staff:lin", now=START, reason="x")


def test_merged_orders_stay_together_when_an_attached_number_leads_to_them():
    till = WireSource("Till", "till", ids="tills")
    app = WireSource("App", "app", ids="app")
    shop = WireSource("Shop", "site", ids="shop")
    till.track(1, "2", traits={"email": "sam@example.com"})
    app.identify(1, "sam", email="sam@example.com")
    app.order(2, "A-2", "noor")
    shop.order(3, "A-1", "lin")
    orders = ("order", f"{app.source.pk}/A-2"), ("order", f"{shop.source.pk}/A-1")
    decide("merge", *orders)
    decide("separate", till.account("2"), orders[1])
    assert misplaced_orders() == []
    decide("merge", till.account("2"), ("email", "sam@example.com"))
    decide("separate", app.account("sam"), shop.account("lin"))

    assert misplaced_orders() == []
    owners = {Identifier.objects.get(kind="order", value=value).customer_id for _, value in orders}
    assert len(owners) == 1
