"""Histories of orders with requests, answers, moves and several sources, in any order of delivery."""

from datetime import timedelta
from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from customers.projections import orders, registry
from customers.projections.order_requests import ORDER_SOURCE_ID, REQUEST_ID, request_id
from customers.projections.projected_events import ProjectedEvent
from customers.projections.registry import Subject
from customers.types import CLAIMED, VERIFIED
from tests.factories import NOON
from tests.size import tries

MILLISECOND = timedelta(milliseconds=1)
NOOR = Subject(UUID(int=1), "order:1001")
LINE = {"line_id": "a", "product_id": "ticket", "quantity": 2, "unit_price": "10.00"}

# The senders of a history: the source, its name, its channel, and its evidence.
SENDERS = [
    (10, "shop", "web", VERIFIED),
    (11, "desk", "phone", VERIFIED),
    (12, "back office", "server", VERIFIED),
    (13, "page", "web", CLAIMED),
    (2, "staff console", "console", VERIFIED),
    (3, "customer portal", "web", VERIFIED),
    (1, "butler", "butler", VERIFIED),
]
NAMES = sorted(orders.NAMES | orders.REQUEST_NAMES)
PROPERTIES = [
    {},
    {"products": [LINE]},
    {"line_id": "a"},
    {"line_id": "a", "quantity": 1},
    {"total": "30.00", "currency": "EUR"},
    {"visit_date": "2027-05-01"},
    {"reason": "no room"},
    {"amount": "5.00"},
    {"order_source_id": 10},
    {"order_source_id": 11},
    {"order_source_id": 10, "visit_date": "2027-05-02"},
]
_steps = st.tuples(
    st.sampled_from(NAMES),
    st.sampled_from(SENDERS),
    st.sampled_from(PROPERTIES),
    # Several events of one time, and the request that an answer names, if it names one.
    st.integers(0, 3),
    st.none() | st.integers(0, 7),
    st.integers(1, 3),
)
histories = st.lists(_steps, max_size=8)


def key(number):
    """Return a message key that is lower if the number of the event is higher."""
    return f"{10_000 - number:032x}"


def event_of(number, step):
    name, (source_id, source_name, channel, evidence), properties, moment, answered, place = step
    if answered is not None:
        properties = properties | {REQUEST_ID: request_id(key(answered))}
    return ProjectedEvent(
        name,
        NOON + moment * MILLISECOND,
        number,
        key(number),
        evidence,
        channel,
        "",
        number,
        properties,
        source_id=source_id,
        source_name=source_name,
        order_place=place if source_id == 10 else 1,
    )


def without_order(event):
    """Return the event without the source of the order that it names."""
    properties = {
        name: value for name, value in event.properties.items() if name != ORDER_SOURCE_ID
    }
    return msgspec.structs.replace(event, properties=properties)


def states(events):
    """The states of the orders by the number that each shows."""
    by_table, skipped = registry.fold({NOOR: list(events)})
    assert skipped == []
    return {number: state for _, number, state in by_table["orders"]}


@tries(300, long=60_000)
@given(histories, st.randoms(use_true_random=False))
def test_order_of_delivery_never_changes_the_orders(history, random):
    # The place of a record among the customers of a number is one fact of its source.
    history = [(*step[:-1], history[0][-1]) for step in history]
    events = [event_of(number, step) for number, step in enumerate(history)]

    assert states(random.sample(events, len(events))) == states(events)


@tries(300, long=60_000)
@given(histories)
def test_each_request_has_one_answer_and_the_first_one_stays(history):
    # With a second order of the number, events of other sources mean neither order any more.
    history = [step for step in history if step[1][1] not in ("desk", "back office")]
    events = [without_order(event_of(number, step)) for number, step in enumerate(history)]
    ordered = sorted(events, key=lambda event: event.time_order)
    answered: dict[str, tuple[str, str]] = {}
    for count in range(1, len(ordered) + 1):
        for state in states(ordered[:count]).values():
            for request in state.requests if state else ():
                if request.is_open or state.is_closed:
                    continue
                answer = answered.setdefault(request.id, (request.state, request.decided_at))
                assert (request.state, request.decided_at) == answer


@tries(300, long=60_000)
@given(histories)
def test_events_of_one_source_never_change_the_order_of_another(history):
    shop, desk, *_ = SENDERS
    history = [(name, by, *rest[:-1], 1) for name, by, *rest in history if by in (shop, desk)]
    placed = [
        ("Order Completed", by, {"products": [LINE | {"quantity": quantity}]}, -1, None, 1)
        for quantity, by in enumerate((shop, desk), start=7)
    ]
    events = [event_of(number, step) for number, step in enumerate([*placed, *history])]
    events = [without_order(event) for event in events]
    both = states(events)
    alone = [states(event for event in events if event.source_id == by[0]) for by in (shop, desk)]

    assert [_facts(state) for state in both.values()] == [
        _facts(state) for of_one in alone for state in of_one.values()
    ]


def _facts(state):
    return msgspec.structs.replace(state, number="1001")
