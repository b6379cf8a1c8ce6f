"""The statuses of the rides, which are topics."""

from datetime import datetime

from butler.actions.topics import set_status
from butler.models import TopicStatus
from examples.themepark.rides import rides


def open_unset_rides(now: datetime) -> None:
    """Set the status of each ride without a status to open."""
    existing = set(TopicStatus.objects.values_list("key", flat=True))
    for ride in rides():
        if (key := f"ride:{ride.id}") not in existing:
            set_status(
                key=key,
                status="open",
                facts={"name": ride.name},
                author_name="source:ride control",
                now=now,
            )
