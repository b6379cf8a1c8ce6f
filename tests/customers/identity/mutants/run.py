"""Runs tests with mutants in a process of its own: `python -m tests.customers.identity.mutants.run`.

The standard input has the tests of each mutant as JSON: [[place of the mutant, names of tests], …].
The place -1 stands for the code without a change. The last line of the standard output has the names
of the tests that failed, in the same order; null if a test does not exist, or a mutant has a fault.
"""

import json
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from tempfile import TemporaryFile

import django
import pytest
from _pytest.runner import runtestprotocol
from hypothesis import settings

from tests.customers.identity.mutants.mutant import ROOT, test_id
from tests.customers.identity.mutants.table import MUTANTS

# The rules are pure, so the tests need no services and no fixtures of a conftest.
_OPTIONS = ["-q", "--noconftest", "--tb=line", "-pno:cacheprovider"]

# The place of a mutant, and the names of its tests.
type Job = tuple[int, list[str]]


class MutantLoop:
    """Runs the collected tests of each job in a process that starts with all modules loaded."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = jobs
        self.failed: list[list[str] | None] = []

    def pytest_configure(self, config: pytest.Config) -> None:
        """Collect also files with tests that need a database; they are in no job."""
        config.addinivalue_line("markers", "django_db: needs a database")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests of each job instead of all tests once."""
        tests: dict[str, list[pytest.Item]] = {}
        for test in session.items:
            tests.setdefault(test.nodeid.partition("[")[0], []).append(test)
        for place, names in self._jobs:
            of_names = {name: tests.get(test_id(name), []) for name in names}
            self.failed.append(_run_apart(place, of_names) if all(of_names.values()) else None)
        return True


def _run_apart(place: int, tests: dict[str, list[pytest.Item]]) -> list[str] | None:
    """Run tests with a mutant in a process of its own; return the names of the failed ones.

    None if the mutant cannot be applied.
    """
    with TemporaryFile("w+") as answer:
        child = os.fork()
        if not child:
            try:
                os.write(answer.fileno(), json.dumps(_failed_tests(place, tests)).encode())
            finally:
                # The parent alone goes on with the session of pytest.
                os._exit(0)
        os.waitpid(child, 0)
        answer.seek(0)
        failed: list[str] | None = json.loads(answer.read() or "null")
        return failed


def _failed_tests(place: int, tests: dict[str, list[pytest.Item]]) -> list[str]:
    if place >= 0:
        MUTANTS[place].apply()
    return [name for name, cases in tests.items() if any(map(_fails, cases))]


def _fails(test: pytest.Item) -> bool:
    """Run one test, and tell whether it failed."""
    return any(report.failed for report in runtestprotocol(test, log=False, nextitem=None))


def main() -> None:
    """Run the jobs of the standard input."""
    settings.register_profile("mutants", deadline=None, database=None, derandomize=True)
    settings.load_profile("mutants")
    for mutant in MUTANTS:
        import_module(f"customers.identity.{mutant.module}")
    jobs = [(place, names) for place, names in json.load(sys.stdin)]
    loop = MutantLoop(jobs)
    named = {test_id(name).partition("::")[0] for _, names in jobs for name in names}
    files = sorted(file for file in named if (ROOT / file).exists())
    code = pytest.main([*_OPTIONS, *files], plugins=[loop])
    print()
    print(json.dumps(loop.failed))
    sys.exit(0 if code in (0, 5) else 1)


if __name__ == "__main__":
    os.environ |= {"BUTLER_CHECK": "1", "DEBUG": "1"}
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.chdir(ROOT)
    django.setup()
    main()
