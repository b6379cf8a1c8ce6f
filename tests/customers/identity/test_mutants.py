"""Every rule of who is who has a mutant, the rule switched off, which a test catches."""

import json
import subprocess
import sys
from collections.abc import Sequence

import pytest

from tests import size
from tests.customers.identity.mutants.mutant import ROOT, Mutant, functions_of
from tests.customers.identity.mutants.table import MUTANTS, UNCHANGED

MODULES = sorted({mutant.module for mutant in MUTANTS})


def failures(jobs: Sequence[tuple[int, Sequence[str]]]) -> list[list[str] | None]:
    """Return the failed tests of each job: a place in MUTANTS, and names of tests."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.customers.identity.mutants.run"],
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    answer: list[list[str] | None] = json.loads(ran.stdout.splitlines()[-1])
    return answer


@size.only_long
def test_each_mutant_is_caught_by_its_tests():
    """Compare with the code as it is, so that no test fails for another reason."""
    tests = sorted({name for mutant in MUTANTS for name in mutant.tests})
    jobs = [(place, mutant.tests) for place, mutant in enumerate(MUTANTS)]

    unchanged, *mutated = failures([(-1, tests), *jobs])

    assert unchanged == [], "tests fail, or do not exist, without a mutant"
    survivors = [
        f"{mutant.function}: {mutant.rule} ({sorted(missed)})"
        for mutant, failed in zip(MUTANTS, mutated, strict=True)
        if (missed := set(mutant.tests) - set(failed or ()))
    ]
    assert survivors == []
    for mutant in MUTANTS:
        print(f"{mutant.rule} | {mutant.function} | {', '.join(mutant.tests)}")
    print(f"\n{len(MUTANTS):,} mutants of the rules about who is who, all caught")


@pytest.mark.slow
def test_runner_tells_a_caught_mutant_from_one_that_survives():
    """The mutant of the first rule survives the test of another rule."""
    other = ["test_order_ownership::test_number_of_an_order_is_behind_its_source"]
    caught = MUTANTS[0].tests

    assert failures(
        [(0, caught), (0, other), (-1, [*caught, *other]), (-1, ["test_x::test_y"])]
    ) == [
        [*caught],
        [],
        [],
        None,
    ]


@pytest.mark.parametrize("module", MODULES)
def test_each_function_of_the_rules_has_a_mutant_or_a_reason(module):
    changed = {mutant.function for mutant in MUTANTS if mutant.module == module}
    functions = set(functions_of(module))
    excepted = UNCHANGED.keys() & functions

    assert functions - changed == excepted
    assert not excepted & changed


def test_each_exception_is_a_function_of_the_rules():
    functions = {name for module in MODULES for name in functions_of(module)}

    assert UNCHANGED.keys() <= functions


def test_each_mutant_changes_its_module_once_and_names_a_test():
    assert all(mutant.source() for mutant in MUTANTS)
    assert [mutant.rule for mutant in MUTANTS if not mutant.tests] == []


def test_mutants_are_not_listed_twice():
    changes = [(mutant.module, mutant.old, mutant.new) for mutant in MUTANTS]

    assert len(set(changes)) == len(changes)


def test_mutant_of_a_text_that_the_module_does_not_have_is_refused():
    mutant = Mutant("no rule", "periods", "no such text", "", ())

    with pytest.raises(AssertionError, match="has not exactly one"):
        mutant.source()
