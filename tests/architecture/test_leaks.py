"""The project runs anywhere: nothing in it names the machine it was written on."""

import re

import pytest

from tests.architecture.tree import ROOT, files

TEXT = [path for path in files() if path.suffix not in {".png", ".mo", ".ico", ".woff2", ".gz"}]
MACHINE = re.compile(
    r"(?<![\w./])/(?:root|Users)/[a-z.]|/home/(?!butler\b)[a-z]+/|site-packages/|/wheels\b"
)
REGISTRY = re.compile(r"(?:pypi|pythonhosted|npmjs|yarnpkg)\.(?:org|com)|--(?:extra-)?index-url")
# This file has to spell out what it looks for; `make lock` has to switch the option off.
SPELLED_OUT = {"tests/architecture/test_leaks.py", "Makefile"}


@pytest.mark.parametrize("path", [path for path in TEXT if str(path) not in SPELLED_OUT], ids=str)
def test_a_file_names_no_machine_and_no_registry(path):
    text = (ROOT / path).read_text()

    assert MACHINE.findall(text) == []
    assert REGISTRY.findall(text) == []


@pytest.mark.parametrize(
    "leak",
    [
        f"/{'root'}/.cache",
        "/Users/jan",
        "/home/jan/src",
        f"https://{'pypi'}.org/simple",
        "--index-url x",
    ],
)
def test_a_leak_is_seen(leak):
    assert MACHINE.search(leak) or REGISTRY.search(leak)
