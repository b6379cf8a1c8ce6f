"""The short form of the race at the wall; `make chaos` runs it with 100,000 pairs."""

import pytest
from django.db import connection

from bench.chaos import wall
from tests import conftest

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PAIRS = 600


def test_nothing_is_handed_over_after_a_withdrawal_was_acknowledged():
    url = conftest._url(connection.settings_dict)

    races = wall.run(url, pairs=PAIRS, per_second=130)

    assert races.withdrawn == PAIRS
    assert races.after == 0
    # Both sides won often, or nothing was raced at all.
    assert races.handed_over > PAIRS / 4
    assert races.kept_back > PAIRS / 4
    assert races.handed_over + races.kept_back == 2 * PAIRS
    assert races.close > 0
