"""decide() against the table that was written by hand."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from butler.decisions.decide import decide, has_consent
from butler.decisions.reasons.catalog import REASONS
from butler.types import Address, Budget
from tests.butler import decision_table
from tests.butler.decision_scenarios import CLASSES, moment, world

_OWN = {
    **dict.fromkeys(CLASSES, "consent_given"),
    "legal_duty": "legal_duty",
    **dict.fromkeys(("service_critical", "service", "answer"), "relation_live"),
}


def _matrix():
    for line in filter(None, decision_table.MATRIX.splitlines()[2:]):
        words, until, cells = (part.strip(" ") for part in line.split("|", 2))
        for of, cell in zip(CLASSES, cells.split(), strict=True):
            code = _OWN[of] if cell == "·" else cell
            is_allowed = cell in ("·", "person_first")
            waits = until if not is_allowed and cell not in ("stale", "unknown_zone") else ""
            effect = "allow" if is_allowed else "defer" if waits else "deny"
            yield of, words, effect, code, waits


def _scenes(text: str):
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        scene, expected = line.split(" | ")
        of, _, words = scene.partition(";")
        effect, code, *until = expected.split(" ", 2)
        yield of, words, effect, code, "".join(until)


VECTORS = [
    *_matrix(),
    *_scenes(decision_table.SCENES),
    *_scenes(decision_table.TIMES),
    *_scenes(decision_table.USES),
    *(
        ("marketing", f"set {setting}", "deny", "unknown_preference", "")
        for setting in decision_table.MALFORMED.split("\n")
        if setting
    ),
]


def _name(vector) -> str:
    of, words, *_ = vector
    return f"{of}: {words}"


def test_decision_table_has_enough_rows():
    assert len(VECTORS) >= 300
    assert len({_name(vector) for vector in VECTORS}) == len(VECTORS)


@pytest.mark.parametrize("vector", VECTORS, ids=_name)
def test_decision_is_the_one_in_the_decision_table(vector):
    of, words, effect, code, until = vector

    decision = decide(*world(of, words).decide_arguments())

    assert (decision.effect, decision.code) == (effect, code)
    assert decision.until == (moment(until) if until else None)


def _decide(of: str, words: str = ""):
    return decide(*world(of, words).decide_arguments())


def test_decision_lists_its_gates_in_order():
    decision = _decide("marketing", "set allow true; quiet 22:00-08:00")

    assert [(gate.gate, gate.layer, gate.verdict) for gate in decision.gates] == [
        ("switch", "company", "pass"),
        ("integrity", "integrity", "pass"),
        ("act", "integrity", "pass"),
        ("restriction", "legal", "pass"),
        ("objection", "legal", "pass"),
        ("address", "legal", "pass"),
        ("age", "legal", "pass"),
        ("terms", "terms", "pass"),
        ("basis", "basis", "basis"),
        ("settings", "preference", "pass"),
        ("allow", "preference", "pass"),
        ("pause", "preference", "pass"),
        ("only_when_i_ask", "preference", "pass"),
        ("budget", "preference", "pass"),
        ("quiet_hours", "preference", "pass"),
        ("company_budget", "company", "pass"),
        ("company_quiet_hours", "company", "pass"),
    ]
    assert decision.gates[10].references == ("set-0",)


# Where a gate stands in two layers, it can fail for a reason that is not its own.
GATES = {
    *((gate, "integrity") for gate in ("switch", "integrity", "act")),
    *((gate, "legal") for gate in ("restriction", "objection", "address", "age")),
    ("terms", "terms"),
    ("basis", "basis"),
    *((gate, "preference") for gate in ("settings", "allow", "data_use", "pause", "budget")),
    *((gate, "preference") for gate in ("only_when_i_ask", "quiet_hours", "person_first")),
    *((gate, "company") for gate in ("switch", "company_budget", "company_quiet_hours")),
    *(("expiry", layer) for layer in ("preference", "company")),
}


def test_all_decisions_use_only_the_known_gate_names():
    gate_names = {
        (gate.gate, gate.layer) for of, words, *_ in VECTORS for gate in _decide(of, words).gates
    }

    assert gate_names == GATES


def _has_consent(words: str) -> bool:
    _act, facts, rules, now = world("marketing", words).decide_arguments()
    return has_consent(facts, rules, "offers", now)


@pytest.mark.parametrize(
    "words",
    [
        "restricted",
        "objected to marketing",
        "objected to its purpose",
        "under age",
        "never asked",
        "consent refused",
        "consent withdrawn",
        "consent expired",
        "consent until 2027-04-14 12:00",
        "consent to no words",
        "unknown consent_state",
    ],
)
def test_consent_that_no_decision_would_accept_is_no_consent(words):
    assert not _has_consent(words)


@pytest.mark.parametrize(
    "words", ["", "no email", "email stopped", "set allow false", "quiet 00:00-23:59"]
)
def test_channel_and_time_do_not_matter_to_consent(words):
    assert _has_consent(words)


def test_denial_is_the_last_gate():
    decision = _decide("marketing", "consent withdrawn")

    assert [gate.gate for gate in decision.gates][-1] == "basis"
    assert decision.gates[-1].references == ("said-offers",)
    assert decision.layer == "basis"


def test_deciding_deferral_is_the_last_gate():
    decision = _decide("marketing", 'set pause "2027-04-14T23:00:00Z"; company quiet 12:00-18:00')

    assert [gate.gate for gate in decision.gates][-2:] == ["company_quiet_hours", "pause"]
    assert decision.gates[-1].references == ("set-0",)
    assert decision.layer == "preference"


def test_stale_denial_names_its_deferral():
    decision = _decide("marketing", 'set pause "2027-05-01T00:00:00Z"')

    last = decision.gates[-1]
    assert (last.gate, last.code, last.references) == ("expiry", "stale", ("set-0",))
    assert last.inputs["because"] == "paused"
    assert last.inputs["until"] == datetime.fromisoformat("2027-05-01T00:00:00Z")


def test_budget_gate_reports_its_numbers():
    decision = _decide(
        "marketing", 'set budget {"most": 3, "per": "week"} on email; used email:* 2027-W15 2'
    )

    gate = next(gate for gate in decision.gates if gate.gate == "budget")
    assert gate.inputs == {"scope": "email:*", "window": "2027-W15", "used": 2, "most": 3}


@pytest.mark.parametrize(
    ("of", "words", "basis"),
    [
        ("marketing", "", "consent:said-offers"),
        ("service", "", "relation:order:A-1001"),
        ("answer", "", "relation:request:R-7"),
        ("legal_duty", "", "legal_duty"),
        ("use", "", "consent:said-combine"),
        ("marketing", "consent refused", ""),
        ("answer", "set person_first true", "relation:request:R-7"),
    ],
)
def test_allowed_decision_names_its_legal_basis(of, words, basis):
    assert _decide(of, words).basis == basis


BUDGETS = (
    'set budget {"most": 9, "per": "day"} on email; set budget {"most": 9, "per": "month"};'
    " company budget 9/week"
)


@pytest.mark.parametrize(
    ("of", "words", "takes"),
    [
        ("marketing", "", ()),
        ("marketing", BUDGETS, (("email:*", "2027-04-14"), ("company:marketing", "2027-W15"))),
        ("service", BUDGETS, (("email:*", "2027-04-14"), ("company:service", "2027-W15"))),
        # A deferred or denied message uses no budget.
        ("marketing", f"{BUDGETS}; quiet 12:00-18:00", ()),
        ("marketing", f"{BUDGETS}; consent refused", ()),
        ("service_critical", BUDGETS, ()),
        ("legal_duty", BUDGETS, ()),
    ],
)
def test_allowed_decision_lists_its_budget_windows(of, words, takes):
    assert _decide(of, words).budget_windows == takes


def test_two_budgets_of_one_scope_both_count():
    words = 'set budget {"most": 9, "per": "day"}; set budget {"most": 9, "per": "week"}'

    assert _decide("marketing", words).budget_windows == (
        ("*:*", "2027-04-14"),
        ("*:*", "2027-W15"),
    )


@pytest.mark.parametrize(
    ("words", "route"), [("set person_first true", "person"), ("set person_first false", "")]
)
def test_person_first_setting_routes_the_message_to_a_person(words, route):
    decision = _decide("relationship", words)

    assert decision.route_to == route
    (person_first_gate,) = (gate for gate in decision.gates if gate.gate == "person_first")
    assert person_first_gate.references == (("set-0",) if route else ())
    assert _decide("marketing", words).route_to == ""


@pytest.mark.parametrize(
    ("words", "language"),
    [("", "nl"), ('set language "sv"', "sv"), ("language da", "da")],
)
def test_language_setting_overrides_the_language_of_the_profile(words, language):
    assert _decide("marketing", words).language == language


@pytest.mark.parametrize(
    ("words", "effect"),
    [("", "allow"), ("consent refused", "deny"), ("quiet 12:00-18:00", "defer")],
)
def test_decision_names_the_versions_of_facts_and_rules(words, effect):
    decision = _decide("marketing", words)

    assert decision.effect == effect
    assert (decision.customer_version, decision.rules_version) == (7, "rules-1")


def test_decision_without_facts_has_version_zero():
    decision = _decide("marketing", "unknown version; rules without version")

    assert (decision.customer_version, decision.rules_version) == (0, "")


def test_deferral_beyond_the_last_date_denies():
    act, facts, rules, _ = world(
        "marketing", 'set budget {"most": 0, "per": "day"}'
    ).decide_arguments()
    end = datetime.max.replace(tzinfo=UTC)
    last = msgspec.structs.replace(act, occurred_at=end, expires_at=end)

    decision = decide(last, facts, rules, end - timedelta(hours=1))

    assert (decision.effect, decision.gates[-1].verdict) == ("deny", "deny")


def test_automation_key_that_is_not_text_denies():
    act, facts, rules, now = world("service", "").decide_arguments()

    decision = decide(msgspec.structs.replace(act, automation=7), facts, rules, now)

    assert (decision.effect, decision.code) == ("deny", "unknown_automation")


@pytest.mark.parametrize("vector", VECTORS, ids=_name)
def test_every_code_of_the_decision_table_has_a_reason(vector):
    assert vector[3] in REASONS


def test_address_without_a_value_denies():
    act, facts, rules, now = world("service", "").decide_arguments()
    empty = msgspec.structs.replace(facts, addresses={"email": Address("")})

    assert decide(act, empty, rules, now).code == "no_address"


def test_suppressed_address_without_evidence_has_no_evidence_in_its_gate():
    act, facts, rules, now = world("service", "").decide_arguments()
    suppressed_facts = msgspec.structs.replace(
        facts, addresses={"email": Address("gone", "bounced")}
    )

    decision = decide(act, suppressed_facts, rules, now)

    assert (decision.code, decision.gates[-1].references) == ("address_bounced", ())


def test_consent_without_a_ledger_entry_denies():
    act, facts, rules, now = world("marketing", "").decide_arguments()
    consent = msgspec.structs.replace(facts.consent_state.consents["offers"], entry="")
    consent_state = msgspec.structs.replace(facts.consent_state, consents={"offers": consent})

    decision = decide(act, msgspec.structs.replace(facts, consent_state=consent_state), rules, now)

    assert (decision.effect, decision.code) == ("deny", "consent_no_notice")


def test_act_without_a_relation_is_denied_despite_live_relations():
    act, facts, rules, now = world("service", "no relation").decide_arguments()
    nameless = {"": facts.relations["order:A-1001"]}

    decision = decide(act, msgspec.structs.replace(facts, relations=nameless), rules, now)

    assert (decision.effect, decision.code) == ("deny", "no_relation")


@pytest.mark.parametrize("most", [2.5, True, "2", None])
def test_company_budget_that_is_not_a_number_denies(most):
    act, facts, rules, now = world("marketing", "").decide_arguments()
    odd = msgspec.structs.replace(rules, budgets={"marketing": Budget(most, "day")})

    assert decide(act, facts, odd, now).code == "unknown_rules"


def test_invalid_fact_and_erased_record_have_different_codes():
    act, facts, rules, now = world("service", "").decide_arguments()

    odd = msgspec.structs.replace(facts, version="7")
    erased_facts = msgspec.structs.replace(facts, record_status="erased")

    assert decide(act, odd, rules, now).code == "unknown_facts"
    assert decide(act, erased_facts, rules, now).code == "not_live"
