"""Ledger entries for tests, and ledgers made of random entries."""

import uuid
from datetime import timedelta

from hypothesis import strategies as st

from customers.consent.ledger_entries import LedgerEntry
from customers.consent.state import ANY
from tests.factories import NOON

A, B, C = (uuid.UUID(int=n) for n in (1, 2, 3))


def entry(kind, subject="offers", *, at=0, for_=(A,), id_=None, **facts):
    """Return a ledger entry of a given minute, for these records."""
    document = {
        "record_id": str(id_ or uuid.uuid4()),
        "channel": ANY,
        "topic": ANY,
        "value": None,
        "valid_until": None,
        "reask_not_before": None,
        "source_channel": "web",
        "privacy_notice": {"sha256": "a" * 64} if kind == "consent.given" else None,
    } | facts
    moment = NOON + timedelta(minutes=at)
    return LedgerEntry(for_[0], 1, tuple(for_), kind, subject, moment, document)


def prefer(name, value, **facts):
    return entry("preference.set", name, value=value, **facts)


KINDS = st.sampled_from(
    [
        "consent.given",
        "consent.refused",
        "consent.withdrawn",
        "consent.expired",
        "objection.made",
        "objection.lifted",
    ]
)
GROUPS = st.sampled_from([(A,), (B,), (C,), (A, B), (B, C), (A, B, C)])
SOURCES = st.sampled_from(["web", "import"])
ANSWERS = st.builds(
    entry,
    KINDS,
    st.sampled_from(["offers", "surveys"]),
    at=st.integers(0, 4),
    for_=GROUPS,
    source_channel=SOURCES,
)
WISHES = st.builds(
    lambda value, **facts: (
        entry("preference.cleared", "allow", **facts)
        if value is None
        else prefer("allow", value, **facts)
    ),
    st.sampled_from([True, False, None]),
    at=st.integers(0, 4),
    for_=GROUPS,
    channel=st.sampled_from(["*", "email", "sms"]),
    topic=st.sampled_from(["*", "rides", "visits"]),
)
LEDGERS = st.lists(ANSWERS | WISHES, max_size=12)


def allows(state, channel, topic):
    """The most specific wins; of two that are as specific, the stricter. None: nobody said."""
    values = {(s.channel, s.topic): s.value for s in state.settings if s.name == "allow"}
    for scopes in ([(channel, topic)], [(channel, ANY), (ANY, topic)], [(ANY, ANY)]):
        if answers := [values[scope] for scope in scopes if scope in values]:
            return min(answers)
    return None
