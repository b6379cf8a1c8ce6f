"""The board of the park: how each ride is."""

from datetime import datetime

from butler.actions.topics import set_status
from butler.models import TopicStatus
from examples.themepark.rides import rides


def open_unset_rides(now: datetime) -> None:
    """Say of every ride that it is open, unless something was said of it before."""
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
