"""What Celery carries: "look". What there is to see is in Postgres."""

from celery import shared_task
from django.utils import timezone

from butler.actions import heartbeat
from butler.due import tick as ticking

# A tick ends well before the limit of a task: what is left is found by the next one.
_SECONDS = 15.0


@shared_task(name="butler.tick")
def tick(**_: object) -> None:
    """Do what is due. Safe to run twice, at once, late, or not at all."""
    ticking.tick(now=timezone.now(), seconds=_SECONDS)


@shared_task(name="butler.heartbeat")
def pulse(**_: object) -> None:
    """Show that a worker takes tasks and can write."""
    heartbeat.answer(now=timezone.now())
