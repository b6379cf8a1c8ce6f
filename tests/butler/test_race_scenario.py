"""Complaints, withdrawals, hand-overs and readers at once, in processes of their own."""

import os
import subprocess
import sys
import time
from collections import Counter

import pytest
from django.db import connection

from bench.chaos import withdrawal_race
from bench.chaos.race_process import NOON
from butler.actions import delivery_reports
from butler.models import Delivery, DeliveryReceipt
from customers import rebuild
from customers.models import LedgerEntry, Suppression
from tests import conftest
from tests.postgres_statistics import count_deadlocks

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PAIRS, RATE = 100, 40.0


def test_concurrent_writers_lock_the_customer_first_and_never_deadlock(tmp_path):
    url = conftest.database_url(connection.settings_dict)
    withdrawal_race.insert_pairs(url, pairs=PAIRS, per_second=RATE, seed=7)
    race = [str(tmp_path), str(PAIRS), str(RATE)]
    before = count_deadlocks()
    roles = {"send": 2, "withdraw": withdrawal_race.WITHDRAWERS // 2, "report": 2, "look": 1}
    env = {**os.environ, "DATABASE_URL": url, "BUTLER_NOTIFY_WORKERS": "0", "DEBUG": "0"}
    counts = [f"{role}={count}" for role, count in roles.items()]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.butler.race_scenario", *race, *counts],
        env=env,
        cwd=conftest.ROOT,
    )
    # The processes begin at the same time.
    deadline = time.monotonic() + 120
    while len(list(tmp_path.glob("ready-*"))) < sum(roles.values()) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    (tmp_path / "go").touch()

    assert process.wait(timeout=120) == 0

    races = withdrawal_race.count_races(url, tmp_path)
    print(races)
    assert (races.withdrawn, races.late_handovers) == (PAIRS / 2, 0)
    assert races.handed_over > PAIRS / 4
    assert count_deadlocks() - before == 0
    _assert_every_report_was_taken_in_once()
    # The others were given their consent by the arrangement, which wrote no ledger.
    ids = sorted(set(LedgerEntry.objects.values_list("record_id", flat=True)))
    assert rebuild.find_differences(ids) == []


def _assert_every_report_was_taken_in_once() -> None:
    delivery_reports.apply_waiting_reports(now=NOON)
    assert not DeliveryReceipt.objects.filter(applied_at=None).exists()
    complained = DeliveryReceipt.objects.filter(kind="complained")
    whose = Delivery.objects.filter(message_id__in=complained.values("message_id"))
    unhappy = set(whose.values_list("customer_id", flat=True))
    objected = LedgerEntry.objects.filter(kind="objection.made")
    # A customer whose two messages were complained of objected once.
    assert Counter(objected.values_list("record_id", flat=True)) == dict.fromkeys(unhappy, 1)
    assert unhappy
    assert Suppression.objects.filter(reason="complained").count() == len(unhappy)
