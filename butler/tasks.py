"""The Celery tasks. The work itself is in Postgres; a task only starts it."""

from celery import shared_task
from django.utils import timezone

from butler.actions import heartbeat
from butler.due import tick as due_tick

# Shorter than the time limit of a task. The next tick runs the remaining jobs.
_SECONDS = 15.0


@shared_task(name="butler.tick")
def tick(**_: object) -> None:
    """Run the due jobs. It is safe to run this twice, in parallel, late, or never."""
    due_tick.tick(now=timezone.now(), seconds=_SECONDS)


@shared_task(name="butler.heartbeat")
def record_heartbeat(**_: object) -> None:
    """Record that a worker runs tasks and can write to the database."""
    heartbeat.record_heartbeat(now=timezone.now())
