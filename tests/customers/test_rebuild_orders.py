"""Orders that an older version folded: a check shows the differences, and a rebuild corrects them."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from customers.models import Event, Order
from tests import factories

pytestmark = pytest.mark.django_db

NOOR = ("user_id", "noor")
LINES = [{"line_id": "1", "price": "39,50", "quantity": "2.0"}, {"line_id": "2", "price": 5}]
# The row as the version before amounts had one reader stored it.
OLD_LINES = [
    {"id": "1", "product": "", "name": "", "quantity": 1, "unit_price": None, "status": "ordered",
     "details": {}, "total": "0"},
    {"id": "2", "product": "", "name": "", "quantity": 1, "unit_price": "5.00", "status": "ordered",
     "details": {}, "total": "5.00"},
]  # fmt: skip


@pytest.fixture
def old_order():
    factories.record(
        factories.order("A-1", NOOR, products=LINES, currency="EUR"),
        factories.order("A-1", NOOR, name="Order Refunded", amount="10.00"),
    )
    Order.objects.update(
        status="refunded", total="5.00", lines=OLD_LINES, refunds=[], is_total_of_lines=False
    )


def check():
    output = StringIO()
    call_command("rebuild", "--check", stdout=output, stderr=StringIO())
    return output.getvalue()


def test_check_shows_the_differences_and_rebuild_corrects_them(old_order):
    with pytest.raises(CommandError):
        check()

    call_command("rebuild", stdout=StringIO(), stderr=StringIO())

    order = Order.objects.get()
    assert (order.status, str(order.total)) == ("partly_refunded", "74.00")
    assert "0 differences" in check()


def test_rebuild_reads_the_events_that_were_stored_with_another_spelling_of_their_name(old_order):
    refund = Event.objects.get(name="Order Refunded")
    factories.record(
        factories.incoming_event(
            NOOR, name="order refunded", about="order:A-1", properties={"amount": "4.00"}
        ),
    )

    call_command("rebuild", stdout=StringIO(), stderr=StringIO())

    assert refund.version == 2
    assert str(Order.objects.get().total) == "70.00"
