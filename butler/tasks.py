"""The tasks of Celery. Their work is in Postgres; a task only starts it."""

from celery import shared_task
from django.utils import timezone

from butler.actions import heartbeat
from butler.due import tick as due_tick

# A tick ends well before the time limit of a task; the next tick finds the rest.
_SECONDS = 15.0


@shared_task(name="butler.tick")
def tick(**_: object) -> None:
    """Run the jobs that are due. Safe to run twice, at once, late, or not at all."""
    due_tick.tick(now=timezone.now(), seconds=_SECONDS)


@shared_task(name="butler.heartbeat")
def record_heartbeat(**_: object) -> None:
    """Record that a worker runs tasks and can write."""
    heartbeat.record_heartbeat(now=timezone.now())
