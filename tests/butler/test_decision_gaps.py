"""A missing or corrupt input never permits a message. Tries each input of each example."""

from collections.abc import Iterator, Mapping
from functools import cache

import msgspec
import pytest

from butler.decisions.decide import decide
from butler.types import Facts
from tests.butler.decision_scenarios import CLASSES, world
from tests.butler.decisions.test_decide import VECTORS

pytestmark = pytest.mark.slow

# Empty values, and values of unexpected types.
CORRUPT = (None, "", 0, (), 3.5, b"\x00", object)
# The fields in which an empty value is valid. An unknown zone permits nothing, either, as long as
# the plausible zones contain the real one.
BLANK = {
    ("Contact", "automation"): ("",),
    ("Use", "relation"): (None, "", 0, ()),
    ("Consent", "valid_until"): (None,),
    ("State", "restricted"): ("",),
    ("State", "settings"): ((),),
    ("Facts", "version"): (0,),
    ("Address", "suppressed"): ("",),
    ("Address", "not_mine_at"): (None,),
}
# The fields that decide() does not read, or only copies.
IGNORED = {"data_categories", "entry", "evidence", "language", "reask_not_before"}


def _mutants(value, path: str = "") -> Iterator[tuple[str, object]]:
    """Yield a value with each part of it, however deep, corrupted in each way, and its path."""
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            for bad in _bad(type(value).__name__, name, getattr(value, name)):
                yield f"{path}.{name}={bad!r}", _replaced(value, name, bad)
    for name, inner in _parts(value):
        for where, changed in _mutants(inner, f"{path}.{name}"):
            yield where, _replaced(value, name, changed)


def _parts(value) -> list[tuple]:
    if isinstance(value, msgspec.Struct):
        return [(name, getattr(value, name)) for name in value.__struct_fields__]
    if isinstance(value, Mapping):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, tuple) else []


def _replaced(value, name, to):
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.replace(value, **{name: to})
    if isinstance(value, Mapping):
        return {**value, name: to}
    return (*value[:name], to, *value[name + 1 :])


def _bad(of: str, name: str, old: object) -> Iterator[object]:
    for bad in () if name in IGNORED else CORRUPT:
        is_same = type(bad) is type(old) and bad == old
        if not is_same and bad not in BLANK.get((of, name), ()):
            yield bad


def _knows_the_zone(facts: Facts, rules) -> bool:
    return facts.zone in rules.plausible_zones


@cache
def _decide_arguments(of: str):
    return [world(of, vector[1]).decide_arguments() for vector in VECTORS if vector[0] == of]


@pytest.mark.parametrize("of", [*CLASSES, "use"])
def test_missing_or_corrupt_facts_never_turn_a_denial_into_an_allow(of):
    tried = 0
    opened = []
    for act, facts, rules, now in _decide_arguments(of):
        before = decide(act, facts, rules, now)
        if before.effect == "allow":
            continue
        for where, (changed_act, changed_facts, changed_rules) in _each(act, facts, rules):
            if where.startswith("facts.zone") and not _knows_the_zone(facts, rules):
                continue
            tried += 1
            if decide(changed_act, changed_facts, changed_rules, now).effect == "allow":
                opened.append((before.code, where))

    assert opened == []
    assert tried > 1000


def _each(act, facts, rules) -> Iterator[tuple[str, tuple]]:
    for where, changed in _mutants(act, "act"):
        yield where, (changed, facts, rules)
    for where, changed in _mutants(facts, "facts"):
        yield where, (act, changed, rules)
    for where, changed in _mutants(rules, "rules"):
        yield where, (act, facts, changed)
    for bad in CORRUPT:
        yield f"facts={bad!r}", (act, bad, rules)
        yield f"rules={bad!r}", (act, facts, bad)


@pytest.mark.parametrize("of", [*CLASSES, "use"])
@pytest.mark.parametrize(
    "name",
    [
        "version",
        "record_status",
        "consent_state",
        "addresses",
        "relations",
        "is_of_age",
        "used",
        "pause_switches",
    ],
)
def test_unknown_fact_denies_with_its_name(of, name):
    allowed_arguments = [
        arguments for arguments in _decide_arguments(of) if decide(*arguments).effect == "allow"
    ]

    for act, facts, rules, now in allowed_arguments:
        decision = decide(act, msgspec.structs.replace(facts, **{name: None}), rules, now)
        assert (decision.effect, decision.code) == ("deny", f"unknown_{name}")
    assert len(allowed_arguments) > 5


@pytest.mark.parametrize("of", [*CLASSES, "use"])
def test_corrupt_facts_never_raise(of):
    for act, facts, rules, now in _decide_arguments(of)[:20]:
        for _, changed in _each(act, facts, rules):
            decision = decide(*changed, now)
            assert decision.gates
            assert decision.effect in ("allow", "defer", "deny")
            assert decision.effect == "allow" or decision.gates[-1].verdict == decision.effect
