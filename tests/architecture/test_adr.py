"""Decisions are numbered without gaps, and each has the parts that make it one."""

import re

import pytest

from tests.architecture.tree import ROOT, files

DECISIONS = [path for path in files("*.md") if path.parts[:2] == ("docs", "adr")]
NUMBERED = [path for path in DECISIONS if path.name[0].isdigit()]


def test_the_first_decisions_are_there_and_none_is_missing():
    numbers = [int(path.name[:4]) for path in NUMBERED]

    assert len(numbers) >= 6
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("path", NUMBERED, ids=str)
def test_a_decision_carries_its_number_and_its_parts(path):
    text = (ROOT / path).read_text()
    heading = text.splitlines()[0]

    assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", path.name)
    assert re.match(rf"# 0*{int(path.name[:4])}\b", heading), heading
    for part in ("Context", "Decision", "Consequences"):
        assert re.search(rf"^#+ {part}|^\*\*{part}", text, re.MULTILINE), f"{part} is missing"
