from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.utils import timezone

from butler.queries.worker_health import worker_health
from channels.management.commands import tick

pytestmark = pytest.mark.django_db


def test_single_tick_command_records_no_heartbeat():
    call_command("tick")

    assert worker_health(now=timezone.now()).heartbeat_overdue


def test_repeated_tick_command_keeps_the_heartbeat_without_workers(monkeypatch):
    naps = iter([0.5])

    def nap(seconds):
        assert seconds == next(naps, "done")

    monkeypatch.setattr(tick, "time", SimpleNamespace(sleep=nap))

    with pytest.raises(AssertionError, match="done"):
        call_command("tick", every=0.5)

    assert worker_health(now=timezone.now()).heartbeat_overdue == 0
