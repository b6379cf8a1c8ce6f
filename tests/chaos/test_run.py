"""The short form of `make chaos`: every fault once, tens of thousands of events, and letters."""

import pytest

from bench.chaos.faults import FAULTS
from bench.chaos.guests import FICKLE
from bench.chaos.run import QUICK, run

pytestmark = pytest.mark.slow


def test_whatever_is_killed_nothing_acknowledged_is_lost_and_nothing_is_doubled(capsys):
    outcome = run(QUICK)

    assert outcome.findings == [], capsys.readouterr().out
    assert outcome.acknowledged >= QUICK.events * 0.98
    assert len(outcome.recoveries) == len(FAULTS)
    # Two things happened to each guest: one is told by mail and in the app, one by mail.
    assert len(outcome.outgoing.causes) == 2 * QUICK.guests
    assert len(outcome.outgoing.withdrawals) == round(FICKLE * QUICK.guests)
    assert len(outcome.outgoing.letters) >= QUICK.guests
