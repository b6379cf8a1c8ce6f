import tomllib
from itertools import product
from pathlib import Path

import msgspec
import pytest

from butler.automations import sample_customers
from butler.automations.excerpt import excerpt
from butler.document import BRANCHES, AutomationDocument, MessageStep
from butler.messages.render import render, value_paths

PARK = Path(__file__).parents[3] / "examples" / "themepark" / "automations"
CONTEXT = {
    "customer": {"name": "Noor", "traits": {"city": "Odense", "shoe_size": 38}},
    "order": {"number": "A-1", "lines": [{"name": "Day ticket", "total": "40.00"}]},
    "now": "2026-11-21T12:00:00Z",
}


def test_excerpt_keeps_only_the_paths_that_are_read():
    assert excerpt(CONTEXT, ["customer.traits.city", "order.number", "visit.date"]) == {
        "customer": {"traits": {"city": "Odense"}},
        "order": {"number": "A-1"},
    }


def test_excerpt_keeps_whole_lists():
    assert excerpt(CONTEXT, ["order.lines.name"]) == {"order": {"lines": CONTEXT["order"]["lines"]}}


@pytest.mark.parametrize("paths", [["customer", "customer.name"], ["customer.name", "customer"]])
def test_excerpt_of_a_root_keeps_all_its_values(paths):
    assert excerpt(CONTEXT, paths) == {"customer": CONTEXT["customer"]}


def test_excerpt_does_not_change_the_context():
    before = msgspec.json.encode(CONTEXT)

    excerpt(CONTEXT, ["customer.name", "customer.traits.city", "customer"])

    assert msgspec.json.encode(CONTEXT) == before


@pytest.mark.parametrize("file", sorted(PARK.glob("*.toml")), ids=lambda file: file.stem)
@pytest.mark.parametrize("sample_context", [sample_customers.full, sample_customers.sparse])
def test_automations_of_the_park_render_the_same_from_the_excerpt(file, sample_context):
    document_fields = tomllib.loads(file.read_text())
    if "steps" not in document_fields:
        return
    document = msgspec.convert(document_fields, AutomationDocument, strict=False)
    context = sample_context(document)
    for place, step in _messages(document.steps):
        excerpted = excerpt(context, value_paths(document, place))
        assert excerpted != context
        for channel, language in product(("inbox", "email", "sms"), step.texts):
            words = [
                render(document, place, channel, values, sample_customers.LINKS, language)
                for values in (context, excerpted)
            ]
            assert words[0] == words[1]


def _messages(steps, before=""):
    for number, step in enumerate(steps):
        place = f"{before}{number}"
        if isinstance(step, MessageStep):
            yield place, step
        for branch in BRANCHES:
            yield from _messages(getattr(step, branch, ()), f"{place}.{branch}.")
