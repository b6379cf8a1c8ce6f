"""Celery tasks that send queued messages."""

from celery import shared_task
from django.utils import timezone

from channels import deliveries


@shared_task(name="channels.deliver")
def deliver(channel: str, **_: object) -> None:
    """Send the queued messages of one channel.

    A lost, late, repeated or concurrent run of this task does no harm.
    """
    deliveries.deliver(channel, clock=timezone.now)


@shared_task(name="channels.deliver_all")
def deliver_all(**_: object) -> None:
    """Expire stale leases, apply waiting reports, and send all queued messages."""
    deliveries.deliver_all(clock=timezone.now)
