"""The lock files are complete and consistent, and require each package that the code imports."""

import ast
import itertools
import re
import sys
from importlib.metadata import distribution, packages_distributions
from importlib.util import find_spec
from pathlib import Path

import pytest

from deploy.local.environment import LOCK_FILES, normalize_name
from tests.architecture.tree import APPS, ROOT, files

# From the smallest to the largest: each holds the pins of the one before.
LOCKS = ("requirements-run.txt", "requirements.txt", "requirements-dev.txt")
# The folders that run Butler; the other folders test, measure and document it.
RUNTIME = (*APPS, "config", "deploy", "examples", "manage.py")
# The clients that the tests send with run in environments of their own.
OWN_ENVIRONMENTS = ("tests/clients/drivers",)
# Licences that let a company run and change Butler without publishing what it adds.
LICENCES = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software|MPL|Mozilla|LGPL|Lesser|Zlib|HPND|PostgreSQL|Unlicense",
    re.I,
)
COPYLEFT = re.compile(r"\bA?GPL|Affero", re.I)
# Packages whose metadata names no licence, with the one that their repository states.
STATED_ELSEWHERE = {"mrml": "MIT"}


def pins(lock: str) -> dict[str, str]:
    """Return the version of each distribution in a lock, by normalized name."""
    lines = re.findall(r"^([\w.-]+)==([\w.!+]+)", (ROOT / lock).read_text(), re.MULTILINE)
    return {normalize_name(name): version for name, version in lines}


def asked_for(lock: str) -> set[str]:
    """Return the distributions that the input of a lock names, with those it includes."""
    names: set[str] = set()
    for line in (ROOT / lock.replace(".txt", ".in")).read_text().splitlines():
        if line.startswith("-r "):
            names |= asked_for(line.removeprefix("-r ").replace(".in", ".txt"))
        elif name := re.match(r"[\w.-]+", line):
            names.add(normalize_name(name.group()))
    return names


def test_every_pin_has_hashes():
    for lock in LOCKS:
        blocks = re.split(r"\n(?=\S)", (ROOT / lock).read_text().strip())

        assert len(blocks) == len(pins(lock)) > 50
        for block in blocks:
            assert re.match(
                r"[\w.-]+==[\w.!+]+(?: ;[^\\]*)? \\\n    --hash=sha256:[0-9a-f]{64}", block
            ), block


def test_locks_name_no_place_to_download_from():
    for lock in LOCKS:
        assert "://" not in (ROOT / lock).read_text()
        assert " @ " not in (ROOT / lock).read_text()


def test_each_lock_holds_the_pins_of_the_smaller_one():
    for smaller, larger in itertools.pairwise(LOCKS):
        assert pins(smaller).items() <= pins(larger).items()


def test_each_lock_holds_everything_that_its_input_asks_for():
    for lock in LOCKS:
        assert asked_for(lock) <= pins(lock).keys()


def test_django_channels_is_not_locked():
    """It would be imported as `channels`, which is ours."""
    assert "channels" not in pins(LOCKS[-1])


def imported_packages(paths: list[Path]) -> dict[str, str]:
    """Return the packages from elsewhere that these modules import, and one module of each."""
    own = {path.name.removesuffix(".py") for path in ROOT.iterdir()} | sys.stdlib_module_names
    packages: dict[str, str] = {}
    for path in paths:
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module or ""]
            else:
                continue
            for module in modules:
                if (package := module.partition(".")[0]) not in own:
                    packages[package] = str(path)
    return packages


def undeclared(paths: list[Path], lock: str) -> list[str]:
    """Return the imports of these modules that the input of the lock does not name."""
    distributions = packages_distributions()
    return [
        f"{path} imports {package}"
        for package, path in imported_packages(paths).items()
        if not {normalize_name(name) for name in distributions.get(package, [])} & asked_for(lock)
    ]


def test_every_package_that_butler_imports_is_asked_for():
    modules = [path for path in files("*.py") if str(path).startswith(RUNTIME)]

    assert undeclared(modules, "requirements-run.txt") == []


@pytest.mark.skipif(find_spec("playwright") is None, reason="needs requirements-dev.txt")
def test_every_package_that_tests_and_tools_import_is_asked_for():
    modules = [path for path in files("*.py") if not str(path).startswith(OWN_ENVIRONMENTS)]

    assert undeclared(modules, "requirements-dev.txt") == []


def licence(name: str) -> str:
    metadata = distribution(name).metadata
    classifiers = [line for line in metadata.get_all("Classifier") or () if "License" in line]
    own_words = metadata.get("License-Expression") or metadata.get("License") or ""
    stated = STATED_ELSEWHERE.get(name, "")
    return " ".join([stated, own_words.partition("\n")[0], *classifiers])


def test_every_package_that_butler_runs_on_may_be_used_by_a_company():
    licences = {name: licence(name) for name in pins(LOCK_FILES["run"].name)}

    assert [name for name, text in licences.items() if not LICENCES.search(text)] == []
    assert [name for name, text in licences.items() if COPYLEFT.search(text)] == []
