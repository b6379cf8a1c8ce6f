import pytest

from butler.automations import conditions
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


COSTLY = [
    f"order.lines.map(a, {' + '.join(['customer.name'] * 17)}).size() > 0",
    f"order.lines.all(a, {' && '.join(['order.lines == order.lines'] * 9)})",
    f"order.lines.all(a, [{', '.join(['order'] * 18)}] == [{', '.join(['order'] * 18)}])",
    "order.lines.all(a, !customer.name.matches('(.*)(.*)(.*)(.*)(.*)(.*)z'))",
    "order.lines.all(a, !customer.name.matches(customer.traits.pattern))",
    "customer.name.matches('(\\\\pL{50}){50}') || order.lines.all(a, a == order)",
]


class RecordedProgram:
    """Stands in for a compiled condition, and keeps the values that it gets."""

    def execute(self, values):
        self.values = values
        return True


def count_characters(value):
    """Return the number of values and characters in a tree of JSON."""
    if isinstance(value, dict):
        return sum(len(key) + count_characters(inner) for key, inner in value.items())
    if isinstance(value, list):
        return sum(map(count_characters, value))
    return len(value) if isinstance(value, str) else 1


def order_with(line_count, **customer):
    lines = [{"quantity": 1, "name": "x" * line_count}] * line_count
    traits = {"pattern": "(\\pL{50}){50}"}
    return {"order": {"lines": lines}, "customer": {"traits": traits, **customer}}


def test_condition_gets_as_many_values_of_a_large_order_as_of_a_very_large_one(monkeypatch):
    program = RecordedProgram()
    monkeypatch.setattr(conditions, "_program", lambda expression: program)
    sizes = []
    for line_count in (1_000, 10_000):
        is_met("true", order_with(line_count, name="n" * line_count))
        sizes.append(count_characters(program.values))

    assert sizes[0] == sizes[1] < 210_000


def test_body_of_a_macro_is_evaluated_for_at_most_200_lines():
    steps = []
    context = order_with(10_000) | {"step": lambda line: steps.append(line) or True}

    assert is_met(
        "order.lines.all(a, step(a)) && order.lines.exists_one(b, !step(b))", context
    ) is (False)
    assert len(steps) == 400


@pytest.mark.parametrize("expression", COSTLY)
def test_costly_condition_over_a_very_large_order_has_a_result(expression):
    validate_condition(expression)

    assert is_met(expression, order_with(10_000, name="n" * 10_000)) in (True, False)


@pytest.mark.parametrize(
    "expression",
    [
        "order.lines.all(a, order.lines.map(c, c) == order.lines)",
        "order.lines.all(a, a.tags.exists(b, b == 'x'))",
        f"order.lines.all(a, {' && '.join(['order.lines == order.lines'] * 12)})",
        "order.lines.all(a, true) || order.lines.all(b, true) || order.lines.all(c, true)",
    ],
)
def test_condition_whose_steps_would_multiply_is_invalid(expression):
    with pytest.raises(InvalidCondition):
        validate_condition(expression)


def test_condition_over_values_that_are_not_json_is_false():
    assert not is_met("customer.name == 'x'", {"customer": {"name": object()}})
