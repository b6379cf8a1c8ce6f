"""The short form of the race at the wall; `make chaos` runs it with 100,000 pairs."""

import pytest
from django.db import connection

from bench.chaos import withdrawal_race
from tests import conftest

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PAIRS = 600


def test_acknowledged_withdrawal_stops_every_handover():
    url = conftest._url(connection.settings_dict)

    races = withdrawal_race.run(url, pairs=PAIRS, per_second=130)

    assert races.withdrawn == PAIRS
    assert races.late_handovers == 0
    # Both sides won often, or nothing was raced at all.
    assert races.handed_over > PAIRS / 4
    assert races.suppressed > PAIRS / 4
    assert races.handed_over + races.suppressed == 2 * PAIRS
    assert races.close_handovers > 0
