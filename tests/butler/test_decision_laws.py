"""The laws of docs/decisions.md hold for every decision, on generated facts."""

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from butler.decisions import quiet_hours
from butler.decisions.decide import decide
from butler.decisions.reasons.catalog import LANGUAGES, REASONS, sentence
from butler.types import DecisionResult, Facts
from tests import size
from tests.butler.decision_scenarios import CLASSES, World, world
from tests.butler.decisions.test_decide import VECTORS

# Changes of the facts that only restrict, in any position. A setting without a scope is the least
# specific one, so it overrides nothing.
NARROWING = (
    "pause_switch *",
    "pause_switch reminder",
    "restricted",
    "objected to marketing",
    "objected to its purpose",
    "no email",
    "email bounced",
    "under age",
    "never asked",
    "consent refused",
    "consent withdrawn",
    "consent expired",
    "consent invalidated",
    "consent to no words",
    "consent until 2027-01-01 00:00",
    "relation gone",
    "relation until 2026-06-01 00:00",
    "set allow false",
    'set pause "2027-04-14T16:00:00Z"',
    'set pause "2027-11-01T00:00:00Z"',
    "set only_when_i_ask true",
    "set person_first true",
    "set data_use false",
    'set budget {"most": 1, "per": "day"}',
    'set budget {"most": 0, "per": "week"}',
    'set budget {"most": 2, "per": "month"}',
    "quiet 13:00-15:00",
    "quiet 20:00-09:00",
    "quiet 00:00-00:00 days 37",
    "quiet 02:15-02:45",
    "company budget 0/day",
    "company quiet 12:00-18:00",
    'set allow "maybe"',
)
WIDER = (
    "at 2027-03-28 00:30",
    "at 2027-10-31 00:30",
    "at 2027-10-31 01:20",
    "at 2027-12-31 23:30",
    "at 2027-04-14 20:30",
    "zone Europe/Stockholm",
    "nobody knows the zone",
    "channel inbox",
    "channel sms",
    "pause_switch birthday",
    "email complained",
    "relation is a visit",
    "relation request:R-7",
    "unknown version",
    "set allow true",
    "set allow true on email",
    "set allow false on email about offers",
    "set allow true on email about offers",
    'set pause "2027-04-14T13:00:00Z" on email',
    'set budget {"most": 5, "per": "day"} on email',
    'set budget {"most": 1, "per": "day"} about visit',
    'set quiet_hours {"from": "13:00", "to": "14:30"} on email',
    'set zone "America/New_York"',
    'set language "sv"',
    'set channel_order ["sms", "email"]',
    "used *:* 2027-04-14 1",
    "used *:* 2027-W15 1",
    "used email:* 2027-04-14 5",
    "used company:marketing 2027-04-14 1",
    "company budget 1/day",
    "company quiet 21:00-08:00",
    "expires 2027-04-14 16:00",
)
SCENES = st.tuples(
    st.sampled_from((*CLASSES, "use")),
    st.lists(st.sampled_from(NARROWING), max_size=2),
    st.lists(st.sampled_from(WIDER), max_size=5),
)
# The rules of the company that replace an earlier rule instead of adding to it.
_REPLACED = ("company budget", "company quiet")

pytestmark = [pytest.mark.slow, pytest.mark.long]

deep = settings(max_examples=size.examples(600, long=20_000), deadline=None)


def _world(scene) -> World:
    of, narrowing, wider = scene
    words = [*wider, *narrowing]
    if of == "use":
        words = [
            phrase
            for phrase in words
            if not phrase.startswith(("channel", "expires", "at ", "company", "used company"))
        ]
    # The time first: it moves what happened along.
    words.sort(key=lambda phrase: not phrase.startswith("at "))
    return world(of, ";".join(words))


def _rank(decision: DecisionResult):
    rank = {"allow": 0, "defer": 1, "deny": 2}[decision.effect]
    return rank, decision.until.timestamp() if decision.until else 0


@given(SCENES, st.sampled_from(NARROWING))
@deep
def test_narrowing_statement_never_widens_a_decision(scene, narrowing):
    of, before, wider = scene
    if narrowing.startswith(_REPLACED):
        wider = [phrase for phrase in wider if not phrase.startswith(narrowing[:13])]
        before = [phrase for phrase in before if not phrase.startswith(narrowing[:13])]

    first = decide(*_world((of, before, wider)).decide_arguments())
    then = decide(*_world((of, [*before, narrowing], wider)).decide_arguments())

    assert _rank(then) >= _rank(first)


@given(SCENES)
@deep
def test_equal_facts_give_byte_equal_decisions(scene):
    arguments = _world(scene).decide_arguments()
    first = msgspec.json.encode(decide(*arguments))

    # Others come in between, and what was remembered is forgotten.
    decide(
        *world("service", "set allow false; quiet 13:00-15:00; zone Asia/Tokyo").decide_arguments()
    )
    quiet_hours.quiet_intervals.cache_clear()

    assert msgspec.json.encode(decide(*arguments)) == first
    assert msgspec.json.encode(decide(*_world(scene).decide_arguments())) == first


@given(SCENES, st.randoms(use_true_random=False))
@deep
def test_order_of_the_facts_does_not_change_the_decision(scene, chance: random.Random):
    act, facts, rules, now = _world(scene).decide_arguments()
    if facts.consent_state is None:
        return

    shuffled = msgspec.structs.replace(
        facts,
        consent_state=msgspec.structs.replace(
            facts.consent_state,
            settings=tuple(
                chance.sample(facts.consent_state.settings, len(facts.consent_state.settings))
            ),
            consents=_shuffled(facts.consent_state.consents, chance),
            objections=_shuffled(facts.consent_state.objections, chance),
        ),
        addresses=_shuffled(facts.addresses, chance),
        relations=_shuffled(facts.relations, chance),
        used=_shuffled(facts.used, chance),
    )

    first, then = decide(act, facts, rules, now), decide(act, shuffled, rules, now)
    assert msgspec.json.encode(then) == msgspec.json.encode(first)


def _shuffled(mapping, chance):
    return dict(chance.sample(list(mapping.items()), len(mapping)))


@given(SCENES)
@deep
def test_every_denial_and_deferral_has_a_reason_with_a_sentence(scene):
    act, facts, rules, now = _world(scene).decide_arguments()
    decision = decide(act, facts, rules, now)

    last = decision.gates[-1]
    if decision.effect != "allow":
        assert (last.code, last.layer) == (decision.code, decision.layer)
        assert last.verdict == decision.effect
    assert decision.code in REASONS
    assert all(sentence(decision.code, language) for language in LANGUAGES)
    gate_names = [(gate.gate, gate.layer) for gate in decision.gates]
    assert len(set(gate_names)) == len(gate_names)
    for gate in decision.gates:
        assert set(gate.references) <= _evidence_ids(facts)
        # A gate that passes has no code, except for a preference that Butler followed.
        assert gate.verdict != "pass" or gate.code in ("", "no_terms", "person_first")
        assert gate.verdict in ("pass", "basis", "defer", "deny")


def _evidence_ids(facts: Facts) -> set[str]:
    """Return every id under which a fact of these can be found."""
    state = facts.consent_state
    return {
        *(setting.entry for setting in (state.settings if state else ())),
        *(consent.entry for consent in (state.consents.values() if state else ())),
        *(state.objections.values() if state else ()),
        state.restricted if state else "",
        *(facts.relations or ()),
        *(address.evidence for address in (facts.addresses or {}).values()),
        *(facts.pause_switches or ()),
    }


@given(SCENES)
@deep
def test_decision_changes_without_its_deciding_fact(scene):
    act, facts, rules, now = _world(scene).decide_arguments()
    decision = decide(act, facts, rules, now)
    entries = decision.gates[-1].references
    if decision.effect == "allow" or not entries or decision.layer not in ("legal", "preference"):
        return

    other = decide(act, _without(facts, set(entries)), rules, now)

    assert _rank(other) < _rank(decision) or other.gates[-1].references != entries


def _without(facts: Facts, entries: set[str]) -> Facts:
    assert facts.consent_state is not None
    state = facts.consent_state
    remaining_state = msgspec.structs.replace(
        state,
        settings=tuple(setting for setting in state.settings if setting.entry not in entries),
        objections={key: entry for key, entry in state.objections.items() if entry not in entries},
        restricted="" if state.restricted in entries else state.restricted,
    )
    addresses = {
        channel: msgspec.structs.replace(address, suppressed="", evidence="")
        if address.evidence in entries
        else address
        for channel, address in (facts.addresses or {}).items()
    }
    return msgspec.structs.replace(facts, consent_state=remaining_state, addresses=addresses)


ALONE = [
    vector
    for vector in VECTORS
    if vector[2] != "allow"
    and ";" not in vector[1]
    and decide(*world(*vector[:2]).decide_arguments()).gates[-1].references
    and decide(*world(*vector[:2]).decide_arguments()).layer in ("legal", "preference")
]


def test_enough_decisions_depend_on_one_fact():
    assert len(ALONE) >= 70


@pytest.mark.parametrize("vector", ALONE, ids=lambda vector: f"{vector[0]}: {vector[1]}")
def test_decision_with_one_denying_fact_is_allowed_without_it(vector):
    act, facts, rules, now = world(*vector[:2]).decide_arguments()
    decision = decide(act, facts, rules, now)

    other = decide(act, _without(facts, set(decision.gates[-1].references)), rules, now)

    assert other.effect == "allow"
