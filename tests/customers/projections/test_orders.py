import itertools
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.projections.orders import NAMES, fold
from customers.projections.projected_events import ProjectedEvent
from tests.factories import NOON

TICKETS = {
    "line_id": "1",
    "product_id": "day",
    "name": "Day ticket",
    "price": "40.00",
    "quantity": 3,
}
DINNER = {"line_id": "2", "product_id": "dinner", "name": "Dinner", "price": 25, "quantity": 2}


def fact(name, hour=0, evidence=2, channel="phone", actor="", **properties):
    at = NOON + timedelta(hours=hour)
    return ProjectedEvent(
        name, at, hour, f"{hour:032x}", evidence, channel, actor, hour + 1, properties
    )


def test_order_has_the_stated_values():
    order = fold("A-1", [fact("Order Completed", products=[TICKETS, DINNER], currency="eur",
                              visit_date="2027-05-01", visit_time="10:30")])  # fmt: skip

    assert (order.status, str(order.total), order.currency) == ("placed", "170.00", "EUR")
    assert (str(order.visit_date), str(order.visit_time)) == ("2027-05-01", "10:30:00")


def test_the_promised_total_outweighs_the_sum_of_the_lines():
    order = fold("A-1", [fact("Order Completed", products=[TICKETS], total="99.95")])

    assert str(order.total) == "99.95"


def test_total_above_the_column_limit_is_set_to_the_limit():
    fortune = TICKETS | {"price": "999999999.99", "quantity": 9999}

    order = fold("A-1", [fact("Order Completed", products=[fortune])])

    assert str(order.total) == "999999999999.99"


def test_cancelling_some_of_a_line_leaves_the_rest():
    placed = fact("Order Completed", products=[TICKETS, DINNER])
    cancelled = fact("Order Line Cancelled", 1, line_id="1", quantity=2)

    order = fold("A-1", [placed, cancelled])

    assert [(line.quantity, line.status) for line in order.lines] == [
        (1, "ordered"),
        (2, "ordered"),
    ]
    assert (str(order.total), order.status) == ("90.00", "amended")


def test_cancelling_a_whole_line_takes_it_out_of_the_total_and_not_out_of_sight():
    order = fold("A-1", [fact("Order Completed", products=[TICKETS, DINNER]),
                         fact("Order Line Cancelled", 1, line_id="2")])  # fmt: skip

    assert [line.status for line in order.lines] == ["ordered", "cancelled"]
    assert str(order.total) == "120.00"


def test_amendment_changes_only_the_fields_it_contains():
    placed = fact("Order Completed", products=[TICKETS], visit_date="2027-05-01", total="110.00")
    amended = fact("Order Amended", 1, actor="staff:sam", lines=[{"line_id": "1", "quantity": 4}])

    order = fold("A-1", [placed, amended])

    assert (order.lines[0].quantity, str(order.lines[0].unit_price)) == (4, "40.00")
    assert (str(order.total), str(order.visit_date)) == ("150.00", "2027-05-01")
    assert order.changed_by == "staff:sam"


def test_claim_does_not_change_a_verified_order():
    placed = fact("Order Completed", products=[TICKETS])
    claim = fact("Order Cancelled", 1, evidence=1, channel="app")

    assert fold("A-1", [placed, claim]).status == "placed"


def test_a_cancellation_that_arrives_before_the_order_still_cancels_it():
    order = fold("A-1", [fact("Order Cancelled", 1), fact("Order Completed", products=[TICKETS])])

    assert (order.status, len(order.lines)) == ("cancelled", 1)


def test_events_that_place_no_order_make_no_order():
    assert fold("A-1", [fact("Ticket Scanned")]) is None


def test_a_refund_of_some_products_names_them():
    order = fold("A-1", [fact("Order Completed", products=[TICKETS, DINNER]),
                         fact("Order Refunded", 1, products=[{"product_id": "dinner"}])])  # fmt: skip

    assert (order.status, [line.status for line in order.lines], str(order.total)) == (
        "partly_refunded",
        ["ordered", "refunded"],
        "120.00",
    )


STORY = [
    fact("Order Completed", 0, products=[TICKETS, DINNER], currency="EUR"),
    fact("Order Amended", 1, lines=[{"line_id": "2", "quantity": 5}]),
    fact("Order Line Cancelled", 2, line_id="1", quantity=1),
    fact("Order Amended", 3, visit_date="2027-06-01"),
    fact("Order Refunded", 4, products=[{"line_id": "2"}]),
]


def test_every_order_of_arrival_gives_the_same_order():
    assert len({repr(fold("A-1", some)) for some in itertools.permutations(STORY)}) == 1


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = ("products", "lines", "total", "revenue", "currency", "visit_date", "visit_time", "party",
          "line_id", "quantity", "note")  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(sorted(NAMES)),
                          st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=5)), max_size=5))  # fmt: skip
def test_unexpected_values_never_break_an_order(statements):
    facts = [fact(name, hour, **properties) for hour, (name, properties) in enumerate(statements)]

    order = fold("A-1", facts)

    assert (order is None) == (not facts)


@pytest.mark.parametrize("quantity", ["²", "①", "٣", "½", "1_0", "1.5", "1,000"])
def test_unreadable_quantity_of_a_new_line_is_not_known(quantity):
    order = fold("A-1", [fact("Order Completed", products=[TICKETS | {"quantity": quantity}])])

    assert (order.lines[0].quantity, order.lines[0].total) == (None, 0)
    assert order.lines[0].doubts == {"quantity": "unreadable_quantity"}


@pytest.mark.parametrize("currency", ["ßßß", "euro", "E", 978, "ΐΐΐ"])
def test_unreadable_currency_leaves_the_currency(currency):
    placed = fact("Order Completed", currency="EUR")

    order = fold("A-1", [placed, fact("Order Amended", 1, currency=currency)])

    assert (order.currency, order.doubts) == ("EUR", {"currency": "unreadable_currency"})


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_date_at_an_end_of_the_calendar_counts_as_missing(day):
    assert fold("A-1", [fact("Order Completed", visit_date=day)]).visit_date is None


@pytest.mark.parametrize("quantity", ["²", 0.5, "1e3", None, [], {}, True, "three"])
def test_unreadable_quantity_of_an_amendment_leaves_the_quantity(quantity):
    amended = fact("Order Amended", 1, lines=[{"line_id": "1", "quantity": quantity}])

    order = fold("A-1", [fact("Order Completed", products=[TICKETS]), amended])

    assert (order.lines[0].quantity, str(order.total)) == (3, "120.00")


@pytest.mark.parametrize("quantity", ["²", 0.5, "two", [], True])
def test_unreadable_quantity_of_a_cancellation_cancels_nothing(quantity):
    cancelled = fact("Order Line Cancelled", 1, line_id="1", quantity=quantity)

    order = fold("A-1", [fact("Order Completed", products=[TICKETS]), cancelled])

    assert (order.status, order.lines[0].status, str(order.total)) == (
        "placed",
        "ordered",
        "120.00",
    )
