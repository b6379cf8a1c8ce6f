"""The prefilter before a campaign against the decisions it stands in for."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID, uuid4

import msgspec
import pytest

from butler.decisions.bulk import denial_codes
from butler.decisions.decide import decide
from butler.decisions.inputs import read_facts
from butler.decisions.reasons.catalog import REASONS
from butler.types import Contact, Rules
from customers.consent.filter import consent_filter
from customers.consent.state import Consent, Setting, State
from customers.models import ConsentState, Customer, Identifier, Suppression
from customers.sql import json

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

NOW = datetime(2027, 4, 14, 12, 0, tzinfo=UTC)
EXPIRES = NOW + timedelta(days=1)
RULES = Rules(
    "rules-1",
    {},
    {},
    ("Europe/Amsterdam",),
    {"offers": "contact", "tips": "contact"},
    frozenset({"offers", "visit"}),
    frozenset({"inbox", "email", "sms", "phone"}),
)
ACTS = [
    (of, channel, topic)
    for of in ("legal_duty", "service_critical", "service", "relationship", "marketing", "peer")
    for channel in ("inbox", "email", "sms")
    for topic in ("offers", "visit")
]


def _consent(chance: Random) -> Consent:
    return Consent(
        chance.choice(
            ("given", "given", "given", "refused", "withdrawn", "expired", "invalidated")
        ),
        str(uuid4()),
        NOW - timedelta(days=9),
        notice="5f" * 32,
        valid_until=chance.choice((None, None, NOW - timedelta(days=1), EXPIRES)),
    )


def _setting(chance: Random) -> Setting:
    name, values = chance.choice(
        (
            ("allow", (True, False)),
            ("allow", (True, False)),
            ("pause", ("2027-04-13T12:00:00Z", "2027-04-14T20:00:00Z", "2027-06-01T00:00:00Z")),
            ("only_when_i_ask", (True, False)),
        )
    )
    is_scoped = name != "only_when_i_ask"
    return Setting(
        name,
        chance.choice(values),
        str(uuid4()),
        chance.choice(("*", "*", "email", "sms", "inbox")) if is_scoped else "*",
        chance.choice(("*", "*", "offers", "visit")) if is_scoped else "*",
    )


def _state(chance: Random) -> State:
    return State(
        consents={
            purpose: _consent(chance) for purpose in ("offers", "tips") if chance.random() < 0.8
        },
        objections={
            purpose: str(uuid4())
            for purpose in ("marketing", "offers", "tips")
            if chance.random() < 0.1
        },
        settings=tuple(_setting(chance) for _ in range(chance.choice((0, 0, 1, 2, 3, 5)))),
        restricted=chance.choice(("",) * 9 + ("said-stop",)),
    )


def _people(chance: Random, count: int) -> list[UUID]:
    """Write customers with control, addresses and joined records, all by chance."""
    customers = [Customer(id=uuid4(), version=1, created_at=NOW) for _ in range(count)]
    Customer.objects.bulk_create(customers)
    controls, identifiers, suppressions = [], [], []
    for customer in customers:
        if chance.random() < 0.9:
            state = _state(chance)
            columns = consent_filter(state)._asdict()
            controls.append(
                ConsentState(customer=customer, entries=1, state=_plain(state), **columns)
            )
        for kind in ("email", "phone"):
            for _ in range(chance.choice((0, 1, 1, 2))):
                address = (
                    f"{uuid4()}@example.com" if kind == "email" else f"+316{uuid4().int % 10**8:08}"
                )
                identifiers.append(
                    Identifier(
                        kind=kind,
                        value=address,
                        evidence=chance.choice((1, 2, 2, 2)),
                        customer=customer,
                        record=customer,
                        is_shared=chance.random() < 0.1,
                        first_seen_at=NOW,
                    )
                )
                if chance.random() < 0.2:
                    suppressions.append(_suppression(chance, kind, address))
    ConsentState.objects.bulk_create(controls)
    Identifier.objects.bulk_create(identifiers)
    Suppression.objects.bulk_create(suppressions)
    joined = [
        Customer(id=uuid4(), version=1, created_at=NOW, canonical=chance.choice(customers))
        for _ in range(9)
    ]
    Customer.objects.bulk_create(joined)
    return [customer.id for customer in (*customers, *joined)]


def _plain(state: State):
    return msgspec.json.decode(json(state))


def _suppression(chance: Random, kind: str, address: str) -> Suppression:
    return Suppression(
        channel=chance.choice(("email",) if kind == "email" else ("sms", "phone")),
        address=address,
        reason=chance.choice(("bounced", "complained", "stopped")),
        since=NOW,
        lifted_at=chance.choice((None, None, NOW)),
    )


def _judge(ids, of: str, channel: str, topic: str, purpose: str = "offers") -> dict[UUID, str]:
    batches = denial_codes(
        ids, message_class=of, purpose=purpose, topic=topic, channel=channel, expires_at=EXPIRES
    )
    return {id_: code for batch in batches for id_, code in batch}


@pytest.mark.parametrize("seed", range(5))
def test_customer_refused_by_the_prefilter_is_refused_by_the_decision(seed):
    chance = Random(seed)
    ids = _people(chance, 300)
    facts = read_facts(ids, now=NOW)
    code_counts = Counter()

    for of, channel, topic in ACTS:
        judged = _judge(ids, of, channel, topic)
        assert set(judged) == set(ids)
        for id_, code in judged.items():
            code_counts[code] += 1
            if code:
                act = Contact(of, topic, channel, NOW, EXPIRES, "offers")
                decision = decide(act, facts[id_], RULES, NOW)
                assert decision.effect == "deny", (of, channel, topic, code, facts[id_])

    # The prefilter did something, of every kind that there is.
    assert code_counts[""] > 500
    assert {
        "objected",
        "consent_refused",
        "consent_withdrawn",
        "consent_expired",
        "no_consent",
        "channel_off",
        "topic_off",
        "only_when_asked",
        "stale",
        "no_address",
    } <= set(code_counts)
    assert set(filter(None, code_counts)) <= set(REASONS)


def test_decision_allows_most_customers_that_the_prefilter_passes():
    """A prefilter that refuses nobody would pass the test above."""
    ids = _people(Random(7), 600)
    facts = read_facts(ids, now=NOW)
    judged = _judge(ids, "marketing", "email", "offers")
    act = Contact("marketing", "offers", "email", NOW, EXPIRES, "offers")

    through = [id_ for id_, code in judged.items() if not code]
    allowed_ids = [id_ for id_ in ids if decide(act, facts[id_], RULES, NOW).effect != "deny"]

    assert set(allowed_ids) <= set(through)
    assert 0 < len(through) < 0.5 * len(ids)
    assert len(allowed_ids) > 0.5 * len(through)


def test_missing_customer_is_reported_as_unknown():
    nobody = uuid4()

    assert _judge([nobody], "marketing", "email", "offers") == {nobody: "unknown_customer"}


def test_large_audience_is_read_in_batches(monkeypatch):
    monkeypatch.setattr("butler.decisions.bulk.BATCH", 7)
    ids = _people(Random(3), 20)

    batches = list(
        denial_codes(
            iter(ids),
            message_class="marketing",
            purpose="offers",
            topic="offers",
            channel="inbox",
            expires_at=EXPIRES,
        )
    )

    assert [len(batch) for batch in batches] == [7, 7, 7, 7, 1]
    assert {id_ for batch in batches for id_, _ in batch} == set(ids)
