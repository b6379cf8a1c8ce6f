"""Decisions are numbered without gaps, and each has the parts that make it one."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import ROOT, files

DECISIONS = [path for path in files("*.md") if path.parts[:2] == ("docs", "adr")]
NUMBERED = [path for path in DECISIONS if path.name[0].isdigit()]


def test_the_first_decisions_are_there_and_none_is_missing():
    numbers = [int(path.name[:4]) for path in NUMBERED]

    assert len(numbers) >= 6
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_decision_has_its_number_and_its_parts():
    assert [fault for path in NUMBERED for fault in faults(path)] == []


def faults(path: Path) -> Iterator[str]:
    text = (ROOT / path).read_text()
    if not re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", path.name):
        yield f"{path}: bad file name"
    if not re.match(rf"# 0*{int(path.name[:4])}\b", text):
        yield f"{path}: the heading has another number"
    for part in ("Context", "Decision", "Consequences"):
        if not re.search(rf"^#+ {part}|^\*\*{part}", text, re.MULTILINE):
            yield f"{path}: {part} is missing"
