"""Only customers/values reads the times, amounts and quantities that sources state.

Two readers of one kind would read the same text in two ways.
"""

import ast
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, files

# The rooms that read facts of events.
ROOMS = (
    "channels/console/presenters",
    "channels/ingest",
    "channels/pages/presenters",
    "channels/phone",
    "channels/quarantine",
    "channels/store",
    "channels/webhook",
    "customers/actions",
    "customers/api",
    "customers/events",
    "customers/identity",
    "customers/ingest.py",
    "customers/projections",
)
# Modules that parse something else, with the reason.
OTHERS = {
    "channels/console/presenters/labels.py": "the settings of customers, which Butler wrote",
    "channels/pages/presenters/preferences.py": "the settings of customers, which Butler wrote",
    "channels/ingest/limits.py": "the numbers of JSON, before anything reads them",
    "customers/actions/attempt_limits.py": "the start of a window, from the clock",
}
PARSERS = {"fromisoformat", "fromtimestamp", "utcfromtimestamp", "strptime"}
NUMBERS = {"Decimal", "float"}


def readers(source: str) -> list[int]:
    """Return the lines that parse a time or a number that is no constant."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = (
            node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        )
        is_number = name in NUMBERS and not all(
            isinstance(part, ast.Constant) for part in node.args
        )
        if name in PARSERS or is_number:
            lines.append(node.lineno)
    return lines


def is_in_rooms(path: Path) -> bool:
    return path.as_posix().startswith(ROOMS) and path.as_posix() not in OTHERS


def test_facts_of_events_have_one_reader():
    offenders = [
        f"{path}:{line}"
        for path in files("*.py")
        if is_in_rooms(path)
        for line in readers((ROOT / path).read_text())
    ]

    assert offenders == []


@pytest.mark.parametrize("path", OTHERS)
def test_each_exception_still_parses_something(path):
    assert readers((ROOT / path).read_text())


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("Decimal(text)", [1]),
        ("x = 1\nfloat(value)", [2]),
        ("datetime.fromisoformat(text)", [1]),
        ("datetime.strptime(text, form)", [1]),
        ("Decimal(0)\nDecimal('0.00')\nfloat('inf')", []),
    ],
)
def test_parser_of_a_value_is_found(source, lines):
    assert readers(source) == lines
