from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from butler.messages import delivery_reports
from butler.messages.delivery_reports import (
    STATE_BY_KIND,
    DeliveryReport,
    MessageStatus,
    status_after,
)
from butler.models import Message

NOON = datetime(2027, 4, 21, 10, 0, tzinfo=UTC)


def report(kind: str, minute: int = 0, detail: str = "") -> DeliveryReport:
    return DeliveryReport(
        f"{kind}-{minute}-{detail}", kind, NOON + timedelta(minutes=minute), detail=detail
    )


@pytest.mark.parametrize(
    ("before", "kinds", "after"),
    [
        ("uncertain", ["accepted"], "accepted"),
        ("uncertain", ["delivered"], "delivered"),
        ("uncertain", ["deferred"], "uncertain"),
        ("accepted", ["delivered", "accepted"], "delivered"),
        ("accepted", ["failed", "accepted"], "failed"),
        ("accepted", ["failed", "delivered"], "delivered"),
        ("accepted", ["delivered", "bounced"], "bounced"),
        ("delivered", ["complained"], "complained"),
        ("delivered", ["accepted"], "delivered"),
        ("complained", ["bounced"], "complained"),
        ("queued", ["delivered"], "delivered"),
        ("expired", ["delivered"], "delivered"),
        ("accepted", ["stopped"], "rejected"),
        ("accepted", ["opened"], "delivered"),
        ("accepted", [], "accepted"),
        ("accepted", ["something-new"], "accepted"),
    ],
)
def test_reports_decide_the_state_of_a_message(before, kinds, after):
    assert status_after(MessageStatus(before), [report(kind) for kind in kinds]).state == after


def test_status_has_the_reason_of_the_deciding_report():
    reports = [report("failed", 1, "30003"), report("bounced", 2, "5.1.1"), report("delivered", 3)]

    assert status_after(MessageStatus("accepted"), reports) == MessageStatus(
        "bounced", "5.1.1", NOON + timedelta(minutes=2)
    )


def test_every_state_of_a_message_has_a_rank():
    assert set(delivery_reports._RANK) == set(Message.State.values)
    assert set(STATE_BY_KIND.values()) - {""} <= set(Message.State.values)


@given(
    before=st.sampled_from(["queued", "uncertain", "accepted", "rejected"]),
    reports=st.lists(
        st.builds(
            report, st.sampled_from(sorted(STATE_BY_KIND)), st.integers(0, 3), st.sampled_from("ab")
        ),
        max_size=5,
    ),
)
def test_reordered_and_repeated_reports_give_the_same_status(before, reports):
    ends = set()
    for order in list(permutations(reports))[:60]:
        status, received = MessageStatus(before), []
        for report in [*order, *order]:
            received.append(report)
            status = status_after(status, received)
        ends.add((status.state, status.reason, status.at))

    assert len(ends) == 1
