"""Heartbeats of workers: a tick requests one, and a worker that runs tasks records it."""

from datetime import datetime, timedelta

from django.db.models import F, Q

from butler.due import notify
from butler.due.queue import ClaimedDue
from butler.models import Heartbeat

WORKER = "worker"
INTERVAL = timedelta(seconds=15)


def ask(due: ClaimedDue, now: datetime) -> datetime:
    """Ask the workers for a heartbeat; run again after the interval."""
    heartbeats = Heartbeat.objects.filter(name=WORKER)
    # An unanswered request keeps its time, so its age is the time without a heartbeat.
    if not heartbeats.filter(answered_at__gte=F("asked_at")).update(asked_at=now):
        Heartbeat.objects.get_or_create(name=WORKER, defaults={"asked_at": now})
    notify.after_commit("butler.heartbeat")
    return now + INTERVAL


def record_heartbeat(*, now: datetime) -> None:
    """Record that a worker ran a task and wrote to the database."""
    later = Q(answered_at__isnull=True) | Q(answered_at__lt=now)
    Heartbeat.objects.filter(later, name=WORKER).update(answered_at=now)
