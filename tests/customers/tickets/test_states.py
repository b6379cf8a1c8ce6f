"""The decision on a scanned ticket, as a function of its code, its order and its earlier scans."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.tickets.states import (
    ADMITTED,
    EarlierScan,
    GatePolicy,
    Scan,
    ScannedTicket,
    decide,
)

NOW = datetime(2026, 7, 18, 10, 15, tzinfo=UTC)
TODAY = date(2026, 7, 18)
DAY = timedelta(days=1)
POLICY = GatePolicy(source_id=7, zone=ZoneInfo("Europe/Amsterdam"))
LINES = [
    {"id": "a", "quantity": 2, "status": "ordered"},
    {"id": "b", "quantity": 1, "status": "ordered"},
]
TICKET = ScannedTicket(
    digest=b"d",
    order_key="7/A-1",
    guest="",
    origin="first",
    ended_at=None,
    end_reason="",
    issued_for=TODAY,
    customer_id=UUID(int=1),
    version=1,
    is_moved=False,
    is_erased=False,
    number="A-1",
    status="placed",
    evidence=2,
    visit_date=TODAY,
    visit_time=time(11, 30),
    lines=LINES,
    guest_count=0,
    name="Noor",
    scans=[],
)


def earlier(guest="", *, at=NOW - timedelta(hours=1), outcome=ADMITTED, key=9):
    return EarlierScan(UUID(int=key), guest, "good", outcome, at, "North gate")


def scan(*, at=NOW, is_offline=False, key=1):
    return Scan(UUID(int=key), "code", "North gate", "iris", "g2", at, is_offline)


CASES = [
    ("good", {}),
    ("good", {"visit_date": None, "origin": "source"}),
    ("good", {"lines": []}),
    ("good", {"status": "amended"}),
    ("partly_refunded", {"status": "partly_refunded"}),
    ("partly_refunded", {"lines": [LINES[0], LINES[1] | {"status": "refunded"}]}),
    ("partly_refunded", {"lines": [LINES[0] | {"refunded_quantity": 1}]}),
    ("used", {"scans": [earlier()]}),
    ("used", {"scans": [earlier(guest="2")]}),
    ("used", {"guest": "1", "guest_count": 2, "scans": [earlier()]}),
    ("good", {"guest": "1", "guest_count": 2, "scans": [earlier(guest="2")]}),
    ("cancelled", {"status": "cancelled"}),
    ("cancelled", {"status": "refunded"}),
    ("cancelled", {"status": "declined"}),
    ("cancelled", {"lines": [line | {"status": "refunded"} for line in LINES]}),
    ("cancelled", {"guest": "3", "guest_count": 2}),
    ("expired", {"visit_date": TODAY - DAY}),
    ("wrong_day", {"visit_date": TODAY + DAY, "issued_for": TODAY + DAY}),
    ("wrong_day", {"visit_date": TODAY + DAY, "issued_for": None, "origin": "source"}),
    ("moved", {"visit_date": TODAY + DAY}),
    ("moved", {"is_moved": True}),
    ("moved", {"ended_at": NOW, "end_reason": "moved"}),
    ("replaced", {"ended_at": NOW, "end_reason": "replaced"}),
    ("requested", {"status": "requested", "evidence": 1}),
    ("requested", {"evidence": 1}),
    ("unknown", {"ended_at": NOW, "end_reason": "erased"}),
    ("unknown", {"is_erased": True}),
    ("unknown", {"number": None, "status": ""}),
    ("unknown", {"origin": "number"}),
]


@pytest.mark.parametrize(("state", "fields"), CASES)
def test_each_state_follows_from_code_order_and_scans(state, fields):
    decision = decide(scan(), [TICKET._replace(**fields)], POLICY)

    assert decision.state == state
    assert decision.is_admitted == (state in ("good", "partly_refunded"))


def test_equal_codes_of_two_orders_are_decided_by_the_source_of_the_gate():
    other = TICKET._replace(order_key="8/B-1", number="B-1")

    own = decide(scan(), [other, TICKET], POLICY)
    foreign = decide(scan(), [other, TICKET], POLICY._replace(source_id=5))

    assert (own.state, own.ticket.number) == ("good", "A-1")
    assert (foreign.state, foreign.ticket) == ("several", None)


def test_valid_code_counts_before_an_ended_one_of_another_order():
    ended = TICKET._replace(order_key="8/B-1", ended_at=NOW, end_reason="replaced")

    assert decide(scan(), [ended, TICKET], POLICY._replace(source_id=5)).state == "good"


def test_day_is_the_one_of_the_company_and_not_of_universal_time():
    late = scan(at=datetime(2026, 7, 17, 22, 30, tzinfo=UTC))

    assert decide(late, [TICKET], POLICY).state == "good"


def test_offline_scan_before_the_end_of_a_code_admits():
    ended = TICKET._replace(ended_at=NOW, end_reason="replaced")

    before = decide(scan(at=NOW - timedelta(minutes=1), is_offline=True), [ended], POLICY)
    after = decide(scan(at=NOW + timedelta(minutes=1), is_offline=True), [ended], POLICY)

    assert (before.state, after.state) == ("good", "replaced")


def test_same_scan_again_gets_the_same_state_after_a_cancellation():
    scans = [earlier(key=1)]
    decision = decide(scan(key=1), [TICKET._replace(status="cancelled", scans=scans)], POLICY)

    assert (decision.state, decision.is_admitted, decision.is_repeated) == ("good", True, True)


CHANGES = st.sampled_from(
    [
        {"status": "placed"},
        {"status": "cancelled"},
        {"status": "partly_refunded"},
        {"visit_date": TODAY + DAY},
        {"visit_date": TODAY},
        {"is_moved": True},
        {"is_moved": False},
        {"digest": b"new", "ended_at": None, "end_reason": ""},
        {"ended_at": NOW, "end_reason": "replaced"},
    ]
)
SCANS = st.builds(
    lambda minutes, offline, key: scan(
        at=NOW + timedelta(minutes=minutes), is_offline=offline, key=key
    ),
    st.integers(-300, 300),
    st.booleans(),
    st.integers(1, 30),
)


@given(st.lists(st.one_of(CHANGES, SCANS), max_size=40))
def test_ticket_is_admitted_once_in_any_order_of_events(steps):
    ticket, admitted = TICKET, set()
    for step in steps:
        if isinstance(step, dict):
            ticket = ticket._replace(**step)
            continue
        decision = decide(step, [ticket], POLICY)
        if decision.outcome == ADMITTED:
            admitted.add(step.key)
        if not decision.is_repeated and decision.ticket:
            scans = [
                *ticket.scans,
                EarlierScan(step.key, "", decision.state, decision.outcome, step.at, "gate"),
            ]
            ticket = ticket._replace(scans=scans)

    assert len(admitted) <= 1
