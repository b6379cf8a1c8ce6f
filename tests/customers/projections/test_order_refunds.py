"""Refunds and cancellations of parts of an order, in the fold."""

import itertools
from datetime import timedelta

import pytest

from customers.projections.orders import fold
from customers.projections.projected_events import ProjectedEvent
from tests.factories import NOON

TICKETS = {"line_id": "1", "product_id": "day", "sku": "DAY-26", "price": "40.00", "quantity": 3}
DINNER = {"line_id": "2", "product_id": "dinner", "sku": "DIN", "price": "25.00", "quantity": 2}
# 170.00 euro.
PLACED = {"products": [TICKETS, DINNER], "currency": "EUR"}


def fact(name, hour=0, **properties):
    at = NOON + timedelta(hours=hour)
    return ProjectedEvent(name, at, hour, f"{hour:032x}", 2, "web", "", hour + 1, properties)


def order_after(*refunds, name="Order Refunded", placed=PLACED):
    later = [fact(name, hour, **refund) for hour, refund in enumerate(refunds, start=1)]
    return fold("A-1", [fact("Order Completed", **placed), *later])


def summary(order):
    lines = [(line.status, line.quantity, line.refunded_quantity) for line in order.lines]
    return order.status, str(order.total), lines


WHOLE = ("ordered", 3, 0), ("ordered", 2, 0)


@pytest.mark.parametrize(
    ("refund", "total", "lines"),
    [
        pytest.param({"line_id": "2"}, "120.00", [WHOLE[0], ("refunded", 2, 2)], id="line-id"),
        pytest.param({"product_id": "dinner"}, "120.00", [WHOLE[0], ("refunded", 2, 2)], id="product"),
        pytest.param({"sku": "DIN"}, "120.00", [WHOLE[0], ("refunded", 2, 2)], id="sku"),
        pytest.param({"sku": "DIN", "quantity": 1}, "145.00", [WHOLE[0], ("ordered", 1, 1)], id="quantity"),
        pytest.param({"sku": "DIN", "quantity": "-1"}, "145.00", [WHOLE[0], ("ordered", 1, 1)], id="signed-quantity"),
        pytest.param(
            {"products": [{"line_id": "1", "quantity": 2}, {"line_id": "2"}]},
            "40.00", [("ordered", 1, 2), ("refunded", 2, 2)], id="several-lines",
        ),
        pytest.param({"lines": [{"id": "2"}]}, "120.00", [WHOLE[0], ("refunded", 2, 2)], id="lines"),
        pytest.param({"products": '[{"sku":"DIN"}]'}, "120.00", [WHOLE[0], ("refunded", 2, 2)], id="json-text"),
        pytest.param({"amount": "20"}, "150.00", [*WHOLE], id="amount"),
        pytest.param({"total": -20}, "150.00", [*WHOLE], id="negative-amount"),
        pytest.param({"amount": 2000, "unit": "cents"}, "150.00", [*WHOLE], id="cents"),
        pytest.param({"amount": "€ 20,00"}, "150.00", [*WHOLE], id="amount-with-sign"),
        pytest.param(
            {"total": "30.00", "products": [{"line_id": "1", "quantity": 1}]},
            "140.00", [("ordered", 2, 1), WHOLE[1]], id="quantity-and-amount",
        ),
        pytest.param({"products": [{"line_id": "1", "amount": "15.00"}]}, "155.00", [*WHOLE], id="part-of-the-price-of-a-line"),
        pytest.param(
            {"products": [{"product_id": "day", "quantity": -1, "total": "-40.00"}]},
            "130.00", [("ordered", 2, 1), WHOLE[1]], id="as-woocommerce-writes-it",
        ),
        pytest.param(
            {"refund_line_items": [{"id": 71, "line_item_id": 2, "quantity": 1, "subtotal": 25.0}]},
            "145.00", [WHOLE[0], ("ordered", 1, 1)], id="as-shopify-writes-it",
        ),
    ],
)  # fmt: skip
def test_refund_of_a_part(refund, total, lines):
    assert summary(order_after(refund)) == ("partly_refunded", total, lines)


@pytest.mark.parametrize(
    "refund",
    [
        pytest.param({}, id="nothing-named"),
        pytest.param({"reason": "closed"}, id="reason"),
        pytest.param({"total": "170.00"}, id="total"),
        pytest.param({"products": [TICKETS, DINNER]}, id="all-products"),
        pytest.param({"total": 170, "products": [TICKETS, DINNER]}, id="total-and-all-products"),
        pytest.param({"amount_refunded": 17000, "unit": "cents"}, id="sum-of-refunds"),
    ],
)
def test_refund_of_everything(refund):
    order = order_after(refund)

    assert (order.status, str(order.total), str(order.refunds[0].amount)) == (
        "refunded",
        "0.00",
        "170.00",
    )
    assert order.doubts == {}


def test_whole_refund_after_a_partial_one_pays_the_rest_back():
    order = order_after({"amount": "20.00"}, {})

    assert [str(refund.amount) for refund in order.refunds] == ["20.00", "150.00"]
    assert (order.status, str(order.total)) == ("refunded", "0.00")


def test_partial_refunds_that_make_a_whole_one_refund_the_order():
    order = order_after({"amount": "20.00"}, {"amount": "150.00"})

    assert (order.status, str(order.total)) == ("refunded", "0.00")


def test_products_that_are_refunded_one_after_the_other():
    """saleor/saleor#13781: each refund names the product that it is about."""
    placed = {
        "products": [
            {"sku": "shirt", "price": 20, "quantity": 1},
            {"sku": "shorts", "price": 40, "quantity": 1},
            {"sku": "hat", "price": 10, "quantity": 1},
        ]
    }
    shirt, shorts, hat = ({"products": [{"sku": sku}]} for sku in ("shirt", "shorts", "hat"))

    totals = [
        str(order_after(*refunds, placed=placed).total)
        for refunds in ([shirt], [shirt, shorts], [shirt, shorts, hat])
    ]

    assert totals == ["50.00", "10.00", "0.00"]
    assert order_after(shirt, shorts, hat, placed=placed).status == "refunded"


def test_refund_that_is_sent_twice_with_its_id_counts_once():
    refund = {"refund_id": "re_1", "amount": "20.00"}

    order = order_after(refund, refund)

    assert (len(order.refunds), str(order.total)) == (1, "150.00")


def test_sum_of_refunds_is_not_added_to_the_earlier_refunds():
    order = order_after(
        {"amount_refunded": "20.00"}, {"amount_refunded": "50.00"}, {"amount_refunded": "50.00"}
    )

    assert [str(refund.amount) for refund in order.refunds] == ["20.00", "30.00"]
    assert str(order.total) == "120.00"


def test_refund_above_the_order_is_said_and_makes_no_negative_total():
    order = order_after({"amount": "500.00"})

    assert (order.status, str(order.total)) == ("refunded", "0.00")
    assert str(order.refunds[0].amount) == "500.00"
    assert order.doubts == {"refund": "refund_above_order"}


def test_quantity_above_the_line_refunds_the_line():
    order = order_after({"line_id": "2", "quantity": 9})

    assert (str(order.total), order.lines[1].refunded_quantity) == ("120.00", 2)


@pytest.mark.parametrize(
    ("refund", "doubt"),
    [
        ({"amount": "some"}, "unreadable_amount"),
        ({"amount": "1.234"}, "ambiguous_amount"),
        ({"amount": "20 USD"}, "other_currency"),
        ({"line_id": "9"}, "unknown_line"),
        ({"line_id": "1", "quantity": "two"}, "unreadable_quantity"),
        ({"products": "the dinner"}, "unreadable_lines"),
    ],
    ids=repr,
)
def test_unreadable_refund_changes_nothing_and_is_said(refund, doubt):
    order = order_after(refund)

    assert summary(order) == ("placed", "170.00", [*WHOLE])
    assert order.doubts == {"refund": doubt}


def test_refund_of_a_line_without_a_price_has_no_amount():
    order = order_after(
        {"line_id": "1"}, placed={"products": [{"line_id": "1"}, DINNER], "total": "90"}
    )

    assert (order.status, order.refunds[0].amount, str(order.total)) == (
        "partly_refunded",
        None,
        "90.00",
    )
    assert order.doubts == {"refund": "unknown_amount"}


def test_order_that_is_stated_again_keeps_its_refunds():
    """Shopify sends the whole order again after each refund, with the price that was agreed."""
    refund = fact("Order Refunded", 1, line_id="2", quantity=1)
    again = fact("Order Updated", 2, total="170.00", **PLACED)

    order = fold("A-1", [fact("Order Completed", **PLACED), refund, again])

    assert summary(order) == ("partly_refunded", "145.00", [WHOLE[0], ("ordered", 1, 1)])
    without_total = fold(
        "A-1", [fact("Order Completed", **PLACED), refund, fact("Order Updated", 2, **PLACED)]
    )
    assert str(without_total.total) == "145.00"


def test_refund_of_a_cancelled_order():
    placed = fact("Order Completed", **PLACED)
    cancelled = fact("Order Cancelled", 1)

    partly = fold("A-1", [placed, cancelled, fact("Order Refunded", 2, amount="20.00")])
    whole = fold("A-1", [placed, cancelled, fact("Order Refunded", 2)])

    assert (partly.status, whole.status) == ("cancelled", "refunded")


@pytest.mark.parametrize(
    ("cancellation", "total", "lines"),
    [
        ({"line_id": "2"}, "120.00", [WHOLE[0], ("cancelled", 2, 0)]),
        ({"product_id": "dinner", "quantity": 1}, "145.00", [WHOLE[0], ("ordered", 1, 0)]),
        ({"sku": "DAY-26", "quantity": "2.0"}, "90.00", [("ordered", 1, 0), WHOLE[1]]),
        ({"line_id": "2", "quantity": 1, "amount": "10.00"}, "160.00", [WHOLE[0], ("ordered", 1, 0)]),
        ({"lines": [{"line_id": "1"}, {"line_id": "2", "quantity": 1}]}, "25.00", [("cancelled", 3, 0), ("ordered", 1, 0)]),
        ({"line_id": "2", "quantity": 5}, "120.00", [WHOLE[0], ("cancelled", 2, 0)]),
    ],
    ids=repr,
)  # fmt: skip
def test_cancellation_of_a_part(cancellation, total, lines):
    order = order_after(cancellation, name="Order Line Cancelled")

    assert summary(order) == ("amended", total, lines)


def test_returned_product_has_a_negative_quantity_and_price():
    order = order_after(placed={"products": [TICKETS, DINNER | {"quantity": -1}]})

    assert (order.lines[1].quantity, str(order.lines[1].total), str(order.total)) == (
        -1,
        "-25.00",
        "95.00",
    )


@pytest.mark.parametrize(
    ("currency", "price", "total"),
    [
        ("JPY", "1200", "3600"),
        ("JPY", "1200.00", "3600"),
        ("KWD", "1.250", "3.750"),
        ("EUR", "1.25", "3.75"),
    ],
    ids=repr,
)
def test_amounts_have_the_decimal_places_of_the_currency(currency, price, total):
    order = order_after(placed={"products": [TICKETS | {"price": price}], "currency": currency})

    assert (str(order.total), str(order.lines[0].unit_price)) == (
        total,
        total_of_one(price, currency),
    )


def total_of_one(price, currency):
    return price.partition(".")[0] if currency == "JPY" else price


@pytest.mark.parametrize(
    ("stated", "total", "is_of_lines", "doubts"),
    [
        ({}, "170.00", True, {}),
        ({"total": None}, "170.00", True, {}),
        ({"total": "150"}, "150.00", False, {}),
        ({"revenue": 150}, "150.00", False, {}),
        ({"value": "150"}, "150.00", False, {}),
        ({"total": "much"}, "170.00", True, {"total": "unreadable_amount"}),
        ({"total": "1.234"}, "170.00", True, {"total": "ambiguous_amount"}),
        ({"total": "150 USD"}, "170.00", True, {"total": "other_currency"}),
        ({"total": "150.005"}, "170.00", True, {"total": "ambiguous_amount"}),
        ({"total": 150.004}, "150.00", False, {"total": "rounded_amount"}),
    ],
    ids=repr,
)
def test_missing_or_unreadable_total_is_that_of_the_lines_and_says_so(
    stated, total, is_of_lines, doubts
):
    order = order_after(placed=PLACED | stated)

    assert (str(order.total), order.is_total_of_lines, order.doubts) == (total, is_of_lines, doubts)


def test_later_readable_value_ends_the_doubt():
    placed = fact("Order Completed", **PLACED, total="much", visit_date="soon")
    amended = fact("Order Amended", 1, total="150.00", visit_date="2027-05-01")

    order = fold("A-1", [placed, amended])

    assert (order.doubts, order.is_total_of_lines) == ({}, False)


def test_unreadable_amendment_leaves_date_time_and_price():
    placed = fact("Order Completed", **PLACED, visit_date="2027-05-01", visit_time="9:30")
    amended = fact("Order Amended", 1, visit_date="1/5/2027", visit_time="noon",
                   lines=[{"line_id": "1", "price": "many"}])  # fmt: skip

    order = fold("A-1", [placed, amended])

    assert (str(order.visit_date), str(order.visit_time)) == ("2027-05-01", "09:30:00")
    assert (str(order.total), str(order.lines[0].unit_price)) == ("170.00", "40.00")
    assert order.doubts == {"visit_date": "unreadable_date", "visit_time": "unreadable_time_of_day"}
    assert order.lines[0].doubts == {"unit_price": "unreadable_amount"}


STORY = [
    fact("Order Completed", 0, **PLACED),
    fact("Order Refunded", 1, line_id="2", quantity=1),
    fact("Order Amended", 2, lines=[{"line_id": "1", "quantity": 4}]),
    fact("Order Refunded", 3, amount="10.00"),
    fact("Order Line Cancelled", 4, line_id="1", quantity=1),
]


def test_every_order_of_arrival_gives_the_same_refunds():
    orders = {repr(fold("A-1", some)) for some in itertools.permutations(STORY)}

    assert len(orders) == 1
    assert summary(fold("A-1", STORY))[:2] == ("partly_refunded", "135.00")
