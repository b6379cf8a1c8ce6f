import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.ingest.segment import RequestContext
from channels.webhook import events
from customers.types import IncomingEvent, RejectedItem

FRAME = RequestContext(datetime(2026, 11, 21, 12, 0, tzinfo=UTC), is_trusted=True)


def read(payload):
    return events.read_event(json.dumps(payload).encode(), "msg_1", FRAME)


@pytest.mark.parametrize(
    ("payload", "identifiers"),
    [
        pytest.param({"user_id": 5}, {("user_id", "5")}, id="number"),
        pytest.param({"email": "a@example.com"}, {("email", "a@example.com")}, id="email"),
        pytest.param(
            {"customer": {"phone": "+31612345678"}}, {("phone", "+31612345678")}, id="customer"
        ),
        pytest.param(
            {"order_id": "A-1", "card": "LK1"}, {("order", "A-1"), ("card", "LK1")}, id="order"
        ),
    ],
)
def test_identifiers_are_read_from_the_data_of_a_webhook(payload, identifiers):
    incoming = read({"type": "order.created", "data": payload})

    assert isinstance(incoming, IncomingEvent)
    assert set(incoming.identifiers) == identifiers
    assert (incoming.name, incoming.message_id) == ("order.created", "msg_1")


def test_the_id_of_the_webhook_counts_not_one_in_the_body():
    incoming = read({"type": "track", "event": "x", "userId": "u1", "messageId": "m9"})

    assert isinstance(incoming, IncomingEvent)
    assert incoming.message_id == "msg_1"


VALUE = st.none() | st.text(max_size=9) | st.integers() | st.lists(st.text(), max_size=2)
FIELDS = st.sampled_from(["type", "timestamp", "data", "customer", "email", "user_id", "event"])


@given(st.dictionaries(FIELDS, VALUE | st.dictionaries(FIELDS, VALUE, max_size=3)))
def test_no_values_make_it_fail(payload):
    assert isinstance(read(payload), IncomingEvent | RejectedItem)
