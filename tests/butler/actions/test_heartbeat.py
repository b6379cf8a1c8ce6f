from datetime import timedelta

import pytest

from butler.actions import heartbeat
from butler.due.tick import tick
from butler.models import Due
from butler.queries.worker_health import LATE, worker_health
from tests.factories import NOON

SECOND = timedelta(seconds=1)

pytestmark = pytest.mark.django_db


def test_health_without_a_heartbeat_request_is_not_late():
    assert not worker_health(now=NOON).is_late


def test_answered_heartbeat_is_not_overdue():
    tick(now=NOON)
    heartbeat.record_heartbeat(now=NOON + SECOND)

    assert worker_health(now=NOON + SECOND).heartbeat_overdue == 0


def test_overdue_time_counts_from_the_first_unanswered_request():
    """However often it is asked again: ticks without workers must not look like workers."""
    for seconds in range(0, 121, 15):
        tick(now=NOON + seconds * SECOND)

    silent = worker_health(now=NOON + 121 * SECOND).heartbeat_overdue
    assert silent == pytest.approx(121, abs=1)
    assert silent > LATE


def test_worker_that_stops_answering_is_overdue():
    tick(now=NOON)
    heartbeat.record_heartbeat(now=NOON + SECOND)
    for seconds in range(20, 121, 20):
        tick(now=NOON + seconds * SECOND)

    assert worker_health(now=NOON + 120 * SECOND).heartbeat_overdue == pytest.approx(100, abs=1)


def test_older_heartbeat_does_not_replace_a_newer_one():
    tick(now=NOON)
    heartbeat.record_heartbeat(now=NOON + 10 * SECOND)
    heartbeat.record_heartbeat(now=NOON + 5 * SECOND)

    tick(now=NOON + 20 * SECOND)
    heartbeat.record_heartbeat(now=NOON + 21 * SECOND)
    assert worker_health(now=NOON + 22 * SECOND).heartbeat_overdue == 0


def test_overdue_row_makes_the_heartbeat_late():
    Due.objects.create(job="run", key="x", due_at=NOON)

    assert worker_health(now=NOON + 90 * SECOND).oldest_due_age == 90
    assert worker_health(now=NOON + 90 * SECOND).is_late


def test_abandoned_row_does_not_make_the_heartbeat_late():
    Due.objects.create(job="run", key="x", due_at=NOON, done_at=NOON, failed_reason="KeyError")

    assert worker_health(now=NOON + 90 * SECOND).oldest_due_age is None


def test_readyz_and_metrics_show_the_oldest_due_row(client):
    Due.objects.create(job="run", key="x", due_at=NOON)

    assert client.get("/readyz").json()["checks"]["work"] == "late"
    assert client.get("/readyz").json()["status"] == "degraded"
    page = client.get("/metrics").content.decode()
    (line,) = [line for line in page.splitlines() if line.startswith("butler_oldest_due_seconds ")]
    assert float(line.split()[1]) > 60
