"""Alarms, not targets: what grows past them is split by meaning. Ruff watches functions."""

import re

from tests.architecture.tree import ROOT, files

LONGEST_FILE = 400
OURS = [
    path
    for pattern in ("*.py", "*.js", "*.css", "*.sql", "*.html")
    for path in files(pattern)
    if not {"vendor", "migrations"} & set(path.parts)
]


def test_no_file_is_longer_than_the_limit():
    lengths = {path: len((ROOT / path).read_text().splitlines()) for path in OURS}

    assert {path: length for path, length in lengths.items() if length > LONGEST_FILE} == {}


def test_every_silenced_warning_names_its_rule():
    assert [
        path
        for path in files("*.py")
        if re.search(r"#\s*(?:type: ignore|noqa)(?![\[:])", (ROOT / path).read_text())
    ] == []
