"""Each payload through the wire gives the expected order, and so does a rebuild."""

import json
import re

import pytest
from django.test import Client

from customers import rebuild
from customers.models import Customer, Order
from tests.channels import wire_client
from tests.payloads import amounts, shops
from tests.payloads.shapes import Case

pytestmark = pytest.mark.django_db

CASES: dict[str, Case] = {
    f"P-{place}": case for place, case in enumerate([*amounts.CASES, *shops.CASES])
}
AT = "2026-11-21T11:00:00.000Z"


def post(case, number, key):
    events = json.loads(json.dumps(case.events).replace("NUMBER", number))
    batch = [
        event | {"messageId": f"{number}-{place}", "timestamp": AT}
        for place, event in enumerate(events)
    ]
    return Client().post(
        "/v1/batch",
        {"batch": batch},
        content_type="application/json",
        headers={"Authorization": f"Bearer {key}"},
    )


def codes(response):
    return sorted(re.findall(r"(\w+);count", response.get("Butler-Warnings", "")))


def actual(order, warnings):
    lines = [
        (line["product"] or line["id"], line["quantity"], line["unit_price"])
        for line in order.lines
    ]
    doubts = [
        *order.doubts.values(),
        *(doubt for line in order.lines for doubt in line["doubts"].values()),
    ]
    return (order.status, str(order.total), order.currency), lines, sorted(set(doubts)), warnings


def expected(case):
    return case.expected, case.lines, sorted(set(case.doubts)), sorted(case.warnings)


def test_each_payload_gives_the_expected_order_and_warnings():
    _, key = wire_client.source(is_secret=True, channel="server")
    responses = {number: post(case, number, key) for number, case in CASES.items()}

    orders = {order.number: order for order in Order.objects.all()}

    differing = {
        case.name: (actual(orders[number], codes(responses[number])), expected(case))
        for number, case in CASES.items()
        if number not in orders
        or actual(orders[number], codes(responses[number])) != expected(case)
    }
    assert differing == {}
    assert rebuild.find_differences(list(Customer.objects.values_list("pk", flat=True))) == []


def test_there_are_at_least_sixty_payloads_with_names_of_their_own():
    assert len({case.name for case in CASES.values()}) == len(CASES) >= 60
