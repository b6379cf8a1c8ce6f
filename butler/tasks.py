"""What Celery carries: "look". What there is to see is in Postgres."""

from celery import shared_task
from django.utils import timezone

from butler.actions.tick import tick as look


@shared_task(name="butler.tick")
def tick(**_: object) -> None:
    """Do what is due. Safe to run twice, at once, late, or not at all."""
    look(now=timezone.now())
