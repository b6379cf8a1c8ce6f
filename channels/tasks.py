"""What Celery carries for the ways out: "look at this channel"."""

from celery import shared_task
from django.utils import timezone

from channels import deliveries


@shared_task(name="channels.deliver")
def deliver(channel: str, **_: object) -> None:
    """Hand over what waits for one channel. Safe to run twice, at once, late, or not at all."""
    deliveries.deliver(channel, clock=timezone.now)


@shared_task(name="channels.sweep")
def sweep(**_: object) -> None:
    """Settle what fell silent, and hand over whatever no ring told of."""
    deliveries.deliver_all(clock=timezone.now)
