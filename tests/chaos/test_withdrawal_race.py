"""The short form of the withdrawal race; `make chaos` runs it with 100,000 pairs."""

import pytest
from django.core.management import call_command
from django.db import connection

from bench.chaos import withdrawal_race
from tests import conftest

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PAIRS = 600
# Pairs a second: the first that both sides can keep up with, however busy the machine is.
RATES = (130, 60, 25, 10)


def test_acknowledged_withdrawal_stops_every_handover():
    url = conftest.database_url(connection.settings_dict)

    for rate in RATES:
        call_command("flush", interactive=False, verbosity=0)
        races = withdrawal_race.run(url, pairs=PAIRS, per_second=rate)

        assert races.withdrawn == PAIRS
        assert races.late_handovers == 0
        assert races.handed_over + races.suppressed == 2 * PAIRS
        # Unless both sides won often, nothing was raced at all.
        if min(races.handed_over, races.suppressed) > PAIRS / 4 and races.close_handovers:
            return
    pytest.fail(f"withdrawals and handovers did not meet at {RATES[-1]} pairs a second: {races}")
