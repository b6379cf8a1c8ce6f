import time
from contextlib import suppress

import pytest

from butler.automations.conditions import InvalidCondition, is_met, validate_condition

CONTEXT = {
    "customer": {"first_name": "Noor", "language": "nl", "traits": {"pass": True, "visits": 3}},
    "order": {
        "number": "LK-1",
        "status": "placed",
        "total": "80.00",
        "visit_time": None,
        "lines": [{"name": "Adult", "quantity": 2}, {"name": "Child", "quantity": 1}],
    },
    "event": {"name": "Order Completed", "properties": {"a-b": 1, "channel": "phone"}},
    "now": "2027-04-16T07:00:00+00:00",
}


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ("order.status == 'placed'", True),
        ("order.status != 'placed'", False),
        ("double(order.total) >= 80.0", True),
        ("order.lines.exists(l, l.quantity > 1)", True),
        ("size(order.lines) == 2", True),
        ("customer.traits.visits > 2 && customer.traits.pass", True),
        ("event.properties['a-b'] == 1", True),
        ("customer.language in ['nl', 'sv']", True),
        ("timestamp(now) > timestamp('2027-01-01T00:00:00Z')", True),
        ("has(order.visit_time)", False),
        ("!has(topic.status)", True),
        pytest.param("order.visit_date == '2027-04-18'", False, id="a missing key is no"),
        pytest.param("order.visit_date != '2027-04-18'", False, id="nor is it a yes by denial"),
        pytest.param("order.total > 5", False, id="a text is no number"),
        pytest.param("order.status", False, id="a text is not true"),
        pytest.param("1", False, id="nor is a number"),
        pytest.param("1 / 0 == 1", False, id="nor is an error"),
        pytest.param("9223372036854775807 + 1 > 0", False, id="nor is an overflow"),
        pytest.param("(", False, id="nor is nonsense that was never checked"),
    ],
)
def test_a_condition_holds_only_when_it_is_true(expression, answer):
    assert is_met(expression, CONTEXT) is answer


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("order.", "Failed to parse"),
        ("", "Failed to parse"),
        ("ordre.status == 'placed'", "ordre"),
        ("order.stauts == 'placed'", "order.stauts"),
        ("settings.SECRET_KEY == ''", "settings"),
        ("order.lines.all(l, l.quantity > 0 && ordre.number == '')", "ordre"),
        ("order.lines.map(a, order.lines.map(b, order.lines.map(c, 1))).size() > 0", "more than 2"),
        ("true || " * 400 + "true", "is longer than"),
        ("order.lines.all(a, order.lines.all(b, b == a))", "in another one"),
        ("order.lines.all(a, (')' == '') && order.lines.exists(b, b == a))", "in another one"),
        ("order.lines.map(a, [a, a]).size() > 0 || " * 12 + "true", "more than 2"),
        (f"order.lines.all(a, {' + '.join(['a.name'] * 60)} != '')", "longer than 300"),
        ("(" * 900 + "true" + ")" * 900, "Failed to parse"),
    ],
)
def test_invalid_condition_is_refused_with_the_reason(expression, why):
    with pytest.raises(InvalidCondition, match=why):
        validate_condition(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "order.status in ['placed', 'amended'] && has(order.visit_date)",
        "order.lines.exists(l, l.name.startsWith('Ad'))",
        "customer.traits.anything == 'nothing.is.called.so'",
        'event.properties.products.exists(p, p.sku == "it\'s")',
        "topic.facts['land'] == 'Harbour' && now > '2027'",
        "size(order.party) > 2 ? true : false",
        "order.lines.exists(a, (a.quantity > 1)) && order.lines.exists(b, b.name == 'Child')",
    ],
)
def test_condition_over_known_values_is_valid(expression):
    validate_condition(expression)


def test_long_lists_and_deep_values_are_truncated_before_evaluation():
    deep: dict = {}
    for _ in range(5000):
        deep = {"a": deep}
    context = {
        "order": {"lines": [{"quantity": 1, "name": "x"}] * 1_000_000},
        "customer": {"traits": deep, "name": "x" * 10_000_000},
    }

    assert is_met("order.lines.all(a, a.quantity == 1) && order.lines.all(b, b == b)", context)
    assert is_met("size(order.lines) == 200 && size(customer.name) == 1000", context)


@pytest.mark.parametrize(
    "expression",
    [
        f"order.lines.map(a, {' + '.join(['customer.name'] * 17)}).size() > 0",
        f"order.lines.all(a, {' && '.join(['order.lines == order.lines'] * 9)})",
        f"order.lines.all(a, [{', '.join(['order'] * 18)}] == [{', '.join(['order'] * 18)}])",
        "order.lines.all(a, order.lines.map(c, c) == order.lines)",
        "order.lines.all(a, !customer.name.matches('(.*)(.*)(.*)(.*)(.*)(.*)z'))",
        "order.lines.all(a, !customer.name.matches(customer.traits.pattern))",
        "customer.name.matches('(\\\\pL{50}){50}') || order.lines.all(a, a == order)",
    ],
)
def test_every_valid_condition_is_evaluated_quickly(expression):
    lines = [{"quantity": 1, "name": "x" * 10_000}] * 10_000
    context = {
        "order": {"lines": lines},
        "customer": {"name": "n" * 10_000, "traits": {"pattern": "(\\pL{50}){50}"}},
    }
    began = time.process_time()

    with suppress(InvalidCondition):
        validate_condition(expression)
        is_met(expression, context)

    assert time.process_time() - began < 2


def test_condition_over_values_that_are_not_json_is_false():
    assert not is_met("customer.name == 'x'", {"customer": {"name": object()}})
