"""The order that a run is about, where the customer has two orders with one number."""

from uuid import uuid4

import pytest

from butler.automations.run_context import read_run_contexts
from butler.models import Run
from customers.models import Event
from tests import factories
from tests.customers.orders import DINNER, LATER, NOOR, TICKET, place

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("placer", "number"), [("shop", "1001"), ("desk", "1001·2")])
def test_run_is_about_the_order_of_the_source_of_its_event(placer, number):
    senders = {"shop": factories.sender(), "desk": factories.sender()}
    place(NOOR, by=senders["shop"], products=[TICKET])
    place(NOOR, by=senders["desk"], hour=1, products=[DINNER])
    event = Event.objects.get(source_id=senders[placer].source_id)
    cause = {"about": event.about, "log": event.customer_id, "version": event.version}
    run = Run(id=uuid4(), customer_id=event.customer_id, cause=cause)

    [context] = read_run_contexts([run], now=LATER).values()

    assert context.values["order"]["number"] == number
