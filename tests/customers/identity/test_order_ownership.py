"""The record that an order belongs to, by the identifiers that were sent with it."""

from datetime import timedelta
from uuid import UUID

import pytest

from customers.identity.links import DecisionKind, LinkKind
from customers.identity.order_ownership import OrderMention, order_number, order_owner, order_source
from tests.factories import NOON

NOOR, SAM, ZOE = (UUID(int=number) for number in (1, 2, 3))


def placed(owner, *, by_browser=False):
    return OrderMention(LinkKind.PLACED, by_browser, owner)


def named(owner, *, by_browser=False):
    return OrderMention(LinkKind.TOGETHER, by_browser, owner)


def moved(owner, day):
    return OrderMention(LinkKind.MOVED, False, owner, NOON + timedelta(days=day))


def taken_off(owner):
    return OrderMention(DecisionKind.SEPARATE, False, owner)


@pytest.mark.parametrize(
    ("mentions", "owner"),
    [
        pytest.param([], (None, False), id="an order that names nobody has no owner"),
        pytest.param([named(NOOR)], (NOOR, False), id="the only customer of its events has it"),
        pytest.param([named(NOOR), named(SAM)], (None, True), id="two customers leave it in doubt"),
        pytest.param([placed(NOOR), named(SAM)], (NOOR, False), id="the placing event decides"),
        pytest.param(
            [placed(NOOR), placed(SAM)], (None, True), id="two placing customers leave it in doubt"
        ),
        pytest.param(
            [placed(None), named(SAM)], (None, False), id="a guest's order goes to nobody else"
        ),
        pytest.param(
            [placed(NOOR), placed(SAM, by_browser=True)], (NOOR, False), id="person before browser"
        ),
        pytest.param([placed(SAM, by_browser=True)], (SAM, False), id="a browser alone has it"),
        pytest.param(
            [placed(NOOR), placed(SAM), taken_off(NOOR)],
            (SAM, False),
            id="a customer whom staff took it off is no owner",
        ),
        pytest.param(
            [placed(NOOR), taken_off(NOOR), named(SAM)],
            (None, False),
            id="it goes to nobody else when staff took it off",
        ),
    ],
)
def test_owner_of_an_order_without_namesakes(mentions, owner):
    assert order_owner(mentions) == owner


@pytest.mark.parametrize(
    ("mentions", "others", "owner"),
    [
        pytest.param([], [NOOR], (NOOR, False), id="the only order with the number is meant"),
        pytest.param([], [NOOR, SAM], (None, True), id="two orders with the number are a doubt"),
        pytest.param([], [None], (None, True), id="an order without an owner is a doubt"),
        pytest.param(
            [named(SAM)], [NOOR, SAM], (SAM, False), id="the named customer decides between them"
        ),
        pytest.param(
            [named(SAM)], [SAM, SAM], (None, True), id="two orders of the named customer: a doubt"
        ),
        pytest.param(
            [named(ZOE)], [NOOR, SAM], (None, True), id="a customer of neither order is a doubt"
        ),
        pytest.param([placed(ZOE)], [NOOR], (ZOE, False), id="a placed order is its own"),
        pytest.param(
            [taken_off(NOOR)], [NOOR], (None, True), id="no owner whom staff took the order off"
        ),
    ],
)
def test_owner_of_an_order_with_the_number_of_other_orders(mentions, others, owner):
    assert order_owner(mentions, [(other, False) for other in others]) == owner


def test_number_of_an_order_is_behind_its_source():
    assert order_number("7/1001/2") == "1001/2"


PLACED_AT_NOON = placed(NOOR)._replace(said_at=NOON)


@pytest.mark.parametrize(
    ("mentions", "owner"),
    [
        pytest.param([moved(SAM, 1), moved(ZOE, 2)], (ZOE, False), id="the last move counts"),
        pytest.param([moved(ZOE, 2), moved(SAM, 1)], (ZOE, False), id="in any order of arrival"),
        pytest.param([moved(SAM, -1)], (NOOR, False), id="an earlier one moves nothing"),
        pytest.param([moved(None, 1)], (NOOR, False), id="nobody gets no order"),
        pytest.param(
            [moved(SAM, 1), moved(ZOE, 2), taken_off(ZOE)], (SAM, False), id="staff take one out"
        ),
        pytest.param([placed(SAM), moved(ZOE, 1)], (None, True), id="a doubt moves nothing"),
    ],
)
def test_last_move_after_the_placement_decides(mentions, owner):
    assert order_owner([PLACED_AT_NOON, *mentions]) == owner


@pytest.mark.parametrize(("value", "source"), [("7/1001", 7), ("7/10/01", 7), ("1001", 0), ("", 0)])
def test_source_of_an_order_is_before_its_number(value, source):
    assert order_source(value) == source
