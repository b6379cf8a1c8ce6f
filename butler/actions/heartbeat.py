"""Signs of life: something is asked of a worker, and only a worker that works can answer."""

from datetime import datetime, timedelta

from django.db.models import F, Q

from butler.due import notify
from butler.due.queue import ClaimedDue
from butler.models import Heartbeat

WORKER = "worker"
OFTEN = timedelta(seconds=15)


def ask(task: ClaimedDue, now: datetime) -> datetime:
    """Ask the workers for a sign of life. Whoever ticks asks, with Celery or without."""
    asked = Heartbeat.objects.filter(name=WORKER)
    # A question that waits for its answer is the older the longer it waits.
    if not asked.filter(answered_at__gte=F("asked_at")).update(asked_at=now):
        Heartbeat.objects.get_or_create(name=WORKER, defaults={"asked_at": now})
    notify.after_commit("butler.heartbeat")
    return now + OFTEN


def answer(*, now: datetime) -> None:
    """Say that a worker took a task and could write: that it consumes, not that it is up."""
    later = Q(answered_at__isnull=True) | Q(answered_at__lt=now)
    Heartbeat.objects.filter(later, name=WORKER).update(answered_at=now)
