"""The gates that each message class passes, and the references of each gate."""

from datetime import UTC, datetime

import pytest

from butler.decisions.decide import decide
from tests.butler.decision_scenarios import world

# From when until when relations hold in the world of the table.
SPAN = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
ASKED_OF_ALL = "switch integrity act"


@pytest.mark.parametrize(
    ("of", "expected_gates"),
    [
        ("legal_duty", "address basis"),
        ("service_critical", "restriction address terms basis settings allow"),
        (
            "service",
            "restriction address terms basis settings allow pause only_when_i_ask"
            " budget quiet_hours company_budget company_quiet_hours",
        ),
        (
            "answer",
            "restriction address terms basis settings allow person_first"
            " budget quiet_hours company_budget company_quiet_hours",
        ),
        (
            "peer",
            "restriction objection address age terms basis settings allow pause only_when_i_ask"
            " budget quiet_hours company_budget company_quiet_hours",
        ),
        ("use", "restriction objection age terms basis settings data_use"),
        ("use; relation order:A-1001", "restriction objection terms basis settings data_use"),
    ],
)
def test_each_message_class_has_its_gates(of, expected_gates):
    of, _, words = of.partition("; ")

    gates = [gate.gate for gate in _decide(of, words).gates]

    assert " ".join(gates) == f"{ASKED_OF_ALL} {expected_gates}"


def _decide(of: str, words: str = ""):
    return decide(*world(of, words).decide_arguments())


@pytest.mark.parametrize(
    ("of", "words", "gate", "inputs"),
    [
        ("marketing", "never asked", "basis", {"purpose": "offers"}),
        ("marketing", "", "basis", {"purpose": "offers", "state": "given"}),
        ("service", "relation gone", "basis", {"relation": "order:A-1001"}),
        ("service", "", "basis", {"relation": "order:A-1001", "kind": "order", "until": SPAN[1]}),
        ("service", "no email", "address", {"channel": "email"}),
        ("service", "pause_switch *", "switch", {"switch": "*"}),
        ("service", "", "integrity", {"version": 7, "rules": "rules-1"}),
        ("service", "set allow false on email", "allow", {"scope": "email:*"}),
        ("marketing", "restricted", "restriction", {}),
    ],
)
def test_gate_reports_the_inputs_it_used(of, words, gate, inputs):
    (matching_gate,) = (
        candidate for candidate in _decide(of, words).gates if candidate.gate == gate
    )

    assert matching_gate.inputs == inputs


def test_gate_of_a_switch_has_the_switch_as_evidence():
    assert _decide("service", "pause_switch reminder").gates[-1].references == ("reminder",)
