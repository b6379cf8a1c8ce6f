"""Measures decisions: for one customer with all reasons, and for many in a prefilter."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import cel
import msgspec

from bench.figures import Figure, middle, percentile, tidy
from bench.load import BenchmarkFailed
from bench.servers import Database
from bench.testbed import Testbed
from butler.types import Address, Budget, Contact, DecisionResult, Facts, Gate, Relation, Rules
from customers.consent.preferences import QuietHours
from customers.consent.state import Consent, Setting, State

NOW = datetime(2027, 4, 14, 12, 0, tzinfo=UTC)
# The number of decisions in a round, and the number of customers whose facts they use.
DECISIONS, CUSTOMERS = 5_000, 200
READS = 400
# The largest number for the prefilter. The rows stay in the database for the next run.
AUDIENCE = 200_000

RULES = Rules(
    version="bench",
    budgets={"marketing": Budget(2, "week")},
    quiet_hours={"marketing": QuietHours("20:00", "09:00")},
    plausible_zones=("Europe/Amsterdam", "Europe/Copenhagen", "Europe/Stockholm"),
    purposes={"offers": "contact"},
    topics=frozenset({"offers", "visit"}),
    channels=frozenset({"inbox", "email", "sms", "phone"}),
)
OFFER = Contact(
    message_class="marketing",
    topic="offers",
    channel="email",
    occurred_at=NOW - timedelta(minutes=1),
    expires_at=NOW + timedelta(days=1),
    purpose="offers",
    automation="offer",
)

# The baseline: the same rules in a rule engine. In favor of the baseline, quiet hours and windows
# are computed beforehand, and it returns only a code.
_RULES_IN_CEL = {
    "pause_switch": "'*' in pause_switches || automation in pause_switches",
    "not_live": "record_status != 'live'",
    "expired": "now >= expires_at",
    "restricted": "restricted != ''",
    "objected": "'marketing' in objections || purpose in objections",
    "no_address": "!(channel in addresses) || addresses[channel].suppressed != ''",
    "no_consent": "!(purpose in consents) || consents[purpose].state != 'given'"
    " || consents[purpose].notice == ''",
    "channel_off": "settings.exists(s, s.name == 'allow' && s.value == false)",
    "budget_used": "settings.exists(s, s.name == 'budget' && used >= s.value.most)",
    "quiet_hours": "is_quiet",
}


def figures(testbed: Testbed) -> list[Figure]:
    """Measure one decision, one with its read, and the prefilter."""
    database = testbed.large.target.database
    customers = [guest.customer_id for guest in testbed.large.target.guests]
    _insert_consents(database)
    return [
        _decision(testbed),
        _with_its_read(testbed, customers),
        _bulk_decision(testbed, customers),
    ]


# One decision --------------------------------------------------------------------------


def _decision(testbed: Testbed) -> Figure:
    from butler.decisions.decide import decide

    facts_of_customers = list(_customer_facts())
    allowed = decide(OFFER, facts_of_customers[0], RULES, NOW)
    if allowed.effect != "allow":
        raise BenchmarkFailed(f"the measured decision is not allowed: {allowed.code}")
    programs = {code: cel.compile(rule) for code, rule in _RULES_IN_CEL.items()}
    contexts = {facts.customer: _context(facts) for facts in facts_of_customers}
    sides: dict[str, Callable[[Facts], object]] = {
        "butler": lambda facts: decide(OFFER, facts, RULES, NOW),
        "bare": lambda _: _copy_decision(allowed),
        "baseline": lambda facts: _first_match(programs, contexts[facts.customer]),
    }
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(testbed.size.rounds):
        for name, decide_once in sides.items():
            times[name] += _times(
                decide_once, facts_of_customers, DECISIONS // (10 if name == "baseline" else 1)
            )
    p50 = percentile(times["butler"], 0.5)
    return Figure(
        f"contact decision with its reasons, p50, {len(allowed.gates)} gates",
        tidy(p50),
        "µs",
        limit=tidy(percentile(times["bare"], 0.5)),
        baseline=tidy(percentile(times["baseline"], 0.5)),
        aim="≤ 20 µs",
        met=p50 <= 20,
    )


def _times(
    decide: Callable[[Facts], object], facts_of_customers: Sequence[Facts], count: int
) -> list[float]:
    """Return the microseconds of each decision."""
    microseconds = []
    for number in range(count):
        facts = facts_of_customers[number % len(facts_of_customers)]
        start = time.perf_counter_ns()
        decide(facts)
        microseconds.append((time.perf_counter_ns() - start) / 1000)
    return microseconds


def _customer_facts() -> Iterator[Facts]:
    zones = ("Europe/Amsterdam", "Europe/Copenhagen", "Europe/Lisbon", "Europe/Helsinki")
    for number in range(CUSTOMERS):
        settings = (
            Setting("quiet_hours", {"from": "22:00", "to": f"0{number % 8}:30"}, f"q{number}"),
            Setting("budget", {"most": 3, "per": "week"}, f"b{number}", "email"),
            Setting("zone", zones[number % 4], f"z{number}"),
            Setting("language", "nl", f"l{number}"),
            Setting("allow", value=True, entry=f"a{number}", channel="email", topic="offers"),
        )
        consent = Consent("given", f"c{number}", NOW - timedelta(days=90), notice="5f" * 32)
        yield Facts(
            customer=str(number),
            version=number + 1,
            record_status="live",
            consent_state=State(consents={"offers": consent}, settings=settings),
            addresses={"email": Address(f"guest-{number}@larkmoor.example")},
            relations={
                "order:A-1001": Relation("order", NOW - timedelta(9), NOW + timedelta(9), "A-1001")
            },
            is_of_age=True,
            used={"email:*|2027-W15": 1},
            pause_switches=frozenset({"birthday"}),
            zone=zones[number % 4],
            language="nl",
        )


def _copy_decision(decision: DecisionResult) -> DecisionResult:
    """Return a copy of a decision, to measure the time for creating its reasons only."""
    gates = tuple(
        Gate(
            gate=gate.gate,
            layer=gate.layer,
            verdict=gate.verdict,
            code=gate.code,
            references=gate.references,
            inputs=gate.inputs,
        )
        for gate in decision.gates
    )
    return DecisionResult(decision.effect, decision.code, decision.layer, gates)


def _context(facts: Facts) -> dict[str, object]:
    plain = msgspec.to_builtins(facts)
    return {
        **plain["consent_state"],
        "pause_switches": sorted(plain["pause_switches"]),
        "automation": OFFER.automation,
        "record_status": plain["record_status"],
        "now": NOW,
        "expires_at": OFFER.expires_at,
        "purpose": OFFER.purpose,
        "channel": OFFER.channel,
        "addresses": plain["addresses"],
        "used": 1,
        "is_quiet": False,
    }


def _first_match(programs: Mapping[str, "cel.Program"], context: dict[str, object]) -> str:
    for code, program in programs.items():
        if program.execute(context) is True:
            raise BenchmarkFailed(f"the baseline denies the message: {code}")
    return ""


# With its read -------------------------------------------------------------------------


def _with_its_read(testbed: Testbed, customers: Sequence[UUID]) -> Figure:
    from butler import sql
    from butler.decisions.decide import decide
    from butler.decisions.inputs import current_windows, read_facts
    from butler.decisions.relations import REACH

    chance = Random("decisions")

    def butler(customer: UUID) -> None:
        decide(OFFER, read_facts([customer], now=NOW)[customer], RULES, NOW)

    def bare(customer: UUID) -> None:
        params = {"ids": [customer], "windows": current_windows(NOW), "since": NOW - REACH}
        sql.rows("read_decision_facts", params)

    milliseconds: dict[str, list[float]] = {"butler": [], "bare": []}
    for _ in range(testbed.size.rounds):
        for name, decision in (("butler", butler), ("bare", bare)):
            for customer in chance.choices(customers, k=READS):
                start = time.perf_counter_ns()
                decision(customer)
                milliseconds[name].append((time.perf_counter_ns() - start) / 1e6)
    p99 = percentile(milliseconds["butler"], 0.99)
    return Figure(
        "contact decision with its one read, p99",
        tidy(p99),
        "ms",
        limit=tidy(percentile(milliseconds["bare"], 0.99)),
        aim="≤ 3 ms",
        met=p99 <= 3,
    )


# Bulk decisions ------------------------------------------------------------------------


def _insert_consents(database: Database) -> None:
    """Insert consent states: of ten customers six consent, one refuses, one turns e-mail off."""
    statement = """
        INSERT INTO customers_consentstate
               (customer_id, entries, state, granted, objected, channels_off, topics_off)
        SELECT id, 2,
               jsonb_build_object(
                   'consents', jsonb_build_object('offers', jsonb_build_object(
                       'state', CASE said WHEN 6 THEN 'refused' ELSE 'given' END,
                       'entry', id::text, 'occurred_at', '2026-11-01T12:00:00Z',
                       'notice', repeat('5f', 32))),
                   'settings', CASE said WHEN 7 THEN jsonb_build_array(jsonb_build_object(
                       'name', 'allow', 'value', false, 'entry', id::text, 'channel', 'email'))
                       ELSE '[]'::jsonb END),
               CASE said WHEN 6 THEN ARRAY[]::text[] ELSE ARRAY['offers'] END,
               ARRAY[]::text[],
               CASE said WHEN 7 THEN ARRAY['email'] ELSE ARRAY[]::text[] END,
               ARRAY[]::text[]
          FROM (SELECT id, abs(hashtext(id::text)) %% 10 AS said
                  FROM customers_customer WHERE canonical_id IS NULL
                 ORDER BY id LIMIT %s) AS customer
         WHERE said < 8
            ON CONFLICT DO NOTHING"""
    with database.connect() as connection:
        connection.execute(statement, [AUDIENCE])
        connection.execute("VACUUM (ANALYZE) customers_consentstate")


def _bulk_decision(testbed: Testbed, customers: Sequence[UUID]) -> Figure:
    from butler.decisions.bulk import denial_codes

    with testbed.large.target.database.connect() as connection:
        rows = connection.execute(
            "SELECT id FROM customers_customer WHERE canonical_id IS NULL ORDER BY id LIMIT %s",
            [AUDIENCE],
        ).fetchall()
    audience = [UUID(str(id_)) for (id_,) in rows]

    def butler() -> int:
        batches = denial_codes(
            audience,
            message_class="marketing",
            purpose="offers",
            topic="offers",
            channel="email",
            expires_at=OFFER.expires_at,
        )
        return sum(len(batch) for batch in batches)

    rates: dict[str, list[float]] = {"butler": [], "bare": [], "baseline": []}
    few = customers[: min(len(customers), READS)]
    for _ in range(testbed.size.rounds):
        rates["butler"].append(_rate(butler))
        rates["bare"].append(_rate(lambda: _count_rows(testbed.large.target.database, audience)))
        rates["baseline"].append(_rate(lambda: _one_by_one(few)))
    value = middle(rates["butler"])
    return Figure(
        "bulk decision before a campaign",
        value,
        "customers/s",
        limit=middle(rates["bare"]),
        baseline=middle(rates["baseline"]),
        aim="≥ 100,000 customers/s",
        met=value >= 100_000,
    )


def _rate(count_decisions: Callable[[], int]) -> float:
    start = time.perf_counter()
    count = count_decisions()
    return count / (time.perf_counter() - start)


def _count_rows(database: Database, audience: Sequence[UUID]) -> int:
    """Read the same rows and ids in Postgres without a decision."""
    with database.connect() as connection:
        connection.execute("SET enable_indexscan = off")
        rows = connection.execute(
            "SELECT id, '' FROM customers_customer WHERE id <= %s AND canonical_id IS NULL",
            [audience[-1]],
        ).fetchall()
    return len(rows)


def _one_by_one(customers: Sequence[UUID]) -> int:
    """Query the customers one by one with the ORM, as the baseline."""
    from customers.models import ConsentState, Identifier

    for customer in customers:
        consent_state = ConsentState.objects.filter(customer_id=customer).first()
        if (
            consent_state
            and "offers" in consent_state.granted
            and "email" not in consent_state.channels_off
        ):
            Identifier.objects.filter(customer_id=customer, kind="email", evidence=2).exists()
    return len(customers)
