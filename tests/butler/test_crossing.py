"""Complaints, withdrawals, hand-overs and readers at once, in processes of their own."""

import os
import subprocess
import sys
import time
from collections import Counter

import pytest
from django.db import connection

from bench.chaos import wall
from butler.actions import receipts
from butler.models import Delivery, DeliveryReceipt
from customers import rebuild
from customers.models import Control, ControlEntry, Suppression
from tests import conftest
from tests.butler.crossing import NOON

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PAIRS, RATE = 150, 60.0
LASTS = PAIRS / RATE + 3.0


def _deadlocks() -> int:
    time.sleep(1.1)  # Postgres adds up its figures once a second
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return cursor.fetchone()[0]


def test_whoever_writes_what_came_of_a_message_takes_the_customer_first(tmp_path):
    url = conftest._url(connection.settings_dict)
    wall.prepare(url, pairs=PAIRS, per_second=RATE, seed=7)
    before, begins = _deadlocks(), time.monotonic() + 6.0
    race = [str(tmp_path), str(begins), str(PAIRS), str(RATE), "7"]
    own = [str(begins), str(LASTS)]
    hands = [
        *[["bench.chaos.hands", "sender", str(n), *race] for n in range(2)],
        *[["bench.chaos.hands", "withdrawer", str(n), *race] for n in range(wall.WITHDRAWERS)],
        *[["tests.butler.crossing", "report", str(n), *own] for n in range(2)],
        ["tests.butler.crossing", "read", "0", *own],
    ]
    env = {**os.environ, "DATABASE_URL": url, "BUTLER_WAKES": "0", "DEBUG": "0"}
    running = [
        subprocess.Popen([sys.executable, "-m", *one], env=env, cwd=conftest.ROOT) for one in hands
    ]

    assert [one.wait(timeout=120) for one in running] == [0] * len(hands)

    races = wall.judge(url, tmp_path)
    print(races)
    assert (races.withdrawn, races.after) == (PAIRS, 0)
    assert races.handed_over > PAIRS / 4
    assert _deadlocks() - before == 0
    _assert_every_report_was_taken_in_once()
    ids = sorted(Control.objects.values_list("customer_id", flat=True))
    assert rebuild.check(ids) == []


def _assert_every_report_was_taken_in_once() -> None:
    receipts.sweep(now=NOON)
    assert not DeliveryReceipt.objects.filter(applied_at=None).exists()
    complained = DeliveryReceipt.objects.filter(kind="complained")
    whose = Delivery.objects.filter(message_id__in=complained.values("message_id"))
    unhappy = set(whose.values_list("customer_id", flat=True))
    objected = ControlEntry.objects.filter(kind="objection.made")
    # A customer whose two messages were complained of objected once.
    assert Counter(objected.values_list("record_id", flat=True)) == dict.fromkeys(unhappy, 1)
    assert unhappy
    assert Suppression.objects.filter(reason="complained").count() == len(unhappy)
