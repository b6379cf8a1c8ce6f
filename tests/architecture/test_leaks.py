"""The project runs anywhere: nothing in it names the machine it was written on."""

import re

import pytest

from tests.architecture.tree import ROOT, files

TEXT = [path for path in files() if path.suffix not in {".png", ".mo", ".ico", ".woff2", ".gz"}]
MACHINE = re.compile(
    r"(?<![\w./])/(?:root|Users)/[a-z.]|/home/(?!butler\b)[a-z]+/|site-packages/|/wheels\b"
)
REGISTRY = re.compile(r"(?:pypi|pythonhosted|npmjs|yarnpkg)\.(?:org|com)|--(?:extra-)?index-url")
CONFLICT = re.compile(r"^(?:<{7}|>{7}|\|{7}) .*", re.MULTILINE)
# This file has to spell out what it looks for; `make lock` has to switch the option off.
SPELLED_OUT = {"tests/architecture/test_leaks.py", "Makefile"}


def test_no_file_names_a_machine_or_a_registry():
    leaks = [
        f"{path}: {leak}"
        for path in TEXT
        if str(path) not in SPELLED_OUT
        for pattern in (MACHINE, REGISTRY)
        for leak in pattern.findall((ROOT / path).read_text())
    ]

    assert len(TEXT) > 500
    assert leaks == []


def test_no_file_has_the_marks_of_an_unfinished_merge():
    assert [f"{path}" for path in TEXT if CONFLICT.search((ROOT / path).read_text())] == []


@pytest.mark.parametrize("mark", ["<<<<<<< HEAD", ">>>>>>> 1234abcd (Name the link)"])
def test_mark_of_an_unfinished_merge_is_seen(mark):
    assert CONFLICT.search(f"text\n{mark}\nmore")


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
