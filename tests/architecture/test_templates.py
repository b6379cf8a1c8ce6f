"""Templates stay readable: short lines, and one element with attributes on a line."""

import re

from tests.architecture.tree import ROOT, files

LONGEST_LINE = 120
_WITH_ATTRIBUTES = re.compile(r"<[a-z][a-z0-9]*\s+[^\s/>]")


def _lines():
    for path in files("*.html"):
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
            yield f"{path}:{number}", line


def test_lines_of_templates_are_short():
    lines = list(_lines())

    assert len(lines) > 1000
    assert [place for place, line in lines if len(line) > LONGEST_LINE] == []


def test_line_starts_one_element_with_attributes_at_most():
    assert [place for place, line in _lines() if len(_WITH_ATTRIBUTES.findall(line)) > 1] == []
