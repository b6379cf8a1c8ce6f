"""Ticket codes that other systems send with their orders."""

import pytest

from customers.models import Event, TicketCode
from tests.channels.store.gates import (
    call,
    day,
    gate,
    scan,
)
from tests.channels.wire_client import source as wire_source
from tests.channels.wire_client import track

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def shop_order(client, key, name="Order Completed", **properties):
    properties = {"order_id": "P-1", "visit_date": day(), "lines": []} | properties
    event = track(event=name, userId="noor", properties=properties)
    assert call(client, "/v1/track", event, key).status == 200


@pytest.mark.parametrize(
    ("fields", "codes"),
    [
        pytest.param({"ticket_code": "SHOP-CODE-1"}, ["SHOP-CODE-1"], id="order"),
        pytest.param(
            {"tickets": [{"code": "SHOP-A1", "guest": "Noor"}, {"code": "SHOP-B2"}]},
            ["SHOP-A1", "shop b2"],
            id="guests",
        ),
        pytest.param(
            {"positions": [{"positionid": 1, "secret": "z3fsn8jyufm5kpk7", "attendee_name": "N"}]},
            ["z3fsn8jyufm5kpk7"],
            id="pretix",
        ),
        pytest.param({"tickets": ["BAR-0001", "BAR-0002"]}, ["BAR-0001", "BAR-0002"], id="texts"),
    ],
)
def test_codes_of_another_system_open_the_gate_and_are_not_on_the_log(client, fields, codes):
    _, key = gate()
    _, shop_key = wire_source(is_secret=True, channel="web")

    shop_order(client, shop_key, **fields)

    assert [scan(client, key, code).json["state"] for code in codes] == ["good"] * len(codes)
    stored = " ".join(str(event.body) for event in Event.objects.all()).lower()
    assert "(secret)" in stored
    assert not any(code.lower() in stored for code in codes)


def test_later_codes_of_another_system_replace_earlier_ones_in_any_order(client):
    _, key = gate()
    _, shop_key = wire_source(is_secret=True, channel="web")
    shop_order(client, shop_key, ticket_code="SHOP-CODE-1")
    shop_order(client, shop_key, name="Order Updated", ticket_code="SHOP-CODE-2")

    assert scan(client, key, "SHOP-CODE-1").json["state"] == "replaced"
    assert scan(client, key, "SHOP-CODE-2").json["state"] == "good"


LINES = [{"line_id": "a", "product": "day", "quantity": 1, "price": "40.00"}]


def sell(client, key, **facts):
    """Send a sale that the server and the till of a shop may both send."""
    properties = {"order_id": "P-1", "visit_date": day(), "lines": LINES} | facts
    event = track(event="Order Completed", userId="noor", properties=properties)
    event |= {"timestamp": f"{day()}T00:00:01Z"}
    assert call(client, "/v1/track", event, key).status == 200


@pytest.mark.parametrize("traits", [{}, {"email": "noor@mail.example.org"}], ids=["other", "same"])
def test_code_of_the_till_opens_the_gate_for_the_sale_that_the_server_sent_too(client, traits):
    """Without an address, the equal numbers of two sources are two customers."""
    _, key = gate()
    _, shop_key = wire_source(is_secret=True, channel="web")
    _, till_key = wire_source(is_secret=True, channel="store")
    sell(client, shop_key, **traits)
    sell(client, till_key, ticket_code="TILL-CODE-1", **traits)

    assert scan(client, key, "TILL-CODE-1").json["state"] == "good"
    assert scan(client, key, "TILL-CODE-1").json["state"] == "used"


def test_code_of_the_till_for_another_sale_of_the_number_opens_the_gate_for_its_own(client):
    _, key = gate()
    _, shop_key = wire_source(is_secret=True, channel="web")
    _, till_key = wire_source(is_secret=True, channel="store")
    sell(client, shop_key, ticket_code="SHOP-CODE-1")
    sell(client, till_key, ticket_code="TILL-CODE-1", lines=[LINES[0] | {"quantity": 3}])

    assert scan(client, key, "TILL-CODE-1").json["state"] == "good"
    assert scan(client, key, "SHOP-CODE-1").json["state"] == "good"


def test_publishable_key_gives_out_no_codes(client):
    _, key = gate()
    _, shop_key = wire_source(is_secret=True, channel="web")
    _, page_key = wire_source(channel="web")
    shop_order(client, shop_key)

    shop_order(client, page_key, ticket_code="FREE-ENTRY")

    assert scan(client, key, "FREE-ENTRY").json["state"] == "unknown"
    assert not TicketCode.objects.exists()
