"""Alarms, not targets: what grows past them is split by meaning. Ruff watches functions."""

import re

import pytest

from tests.architecture.tree import ROOT, files

LONGEST_FILE = 400
OURS = [
    path
    for pattern in ("*.py", "*.js", "*.css", "*.sql", "*.html")
    for path in files(pattern)
    if not {"vendor", "migrations"} & set(path.parts)
]


@pytest.mark.parametrize("path", OURS, ids=str)
def test_a_file_can_be_read_in_one_sitting(path):
    assert len((ROOT / path).read_text().splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", files("*.py"), ids=str)
def test_what_is_silenced_names_the_rule(path):
    bare = re.findall(r"#\s*(?:type: ignore|noqa)(?![\[:])", (ROOT / path).read_text())

    assert bare == []
