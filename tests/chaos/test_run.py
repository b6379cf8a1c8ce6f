"""The short form of `make chaos`: every fault once, tens of thousands of events, and letters."""

import pytest

from bench.chaos.faults import FAULTS
from bench.chaos.recipients import WITHDRAWING_SHARE
from bench.chaos.run import QUICK, run
from tests import size

pytestmark = pytest.mark.slow


@size.only_long
def test_faults_neither_lose_nor_duplicate_acknowledged_events(capsys):
    outcome = run(QUICK)

    assert outcome.findings == [], capsys.readouterr().out
    assert outcome.acknowledged >= QUICK.events * 0.98
    assert len(outcome.recoveries) == len(FAULTS)
    # Two things happened to each guest: one is told by mail and in the app, one by mail.
    assert len(outcome.outgoing.trigger_events) == 2 * QUICK.recipients
    assert len(outcome.outgoing.withdrawals) == round(WITHDRAWING_SHARE * QUICK.recipients)
    assert len(outcome.outgoing.received) >= QUICK.recipients
