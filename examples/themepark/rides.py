"""The rides of Larkmoor and the waits posted at their doors."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from butler.actions.topics import set_status
from butler.models import TopicStatus
from examples.themepark.catalogue import data


@dataclass(frozen=True, slots=True)
class Ride:
    id: str
    name: str
    land: str
    minimum_height: int
    waits: tuple[int, ...]

    def posted_wait(self, at: datetime) -> int | None:
        """Return the posted wait in minutes, or None while the park is closed."""
        local = at.astimezone(zone())
        opens = int(data("park")["opens"])
        hour = local.hour - opens
        return self.waits[hour] if 0 <= hour < len(self.waits) else None


def zone() -> ZoneInfo:
    return ZoneInfo(data("park")["time_zone"])


def rides() -> tuple[Ride, ...]:
    return tuple(Ride(**{**ride, "waits": tuple(ride["waits"])}) for ride in data("rides")["rides"])


def put_on_the_board(now: datetime) -> None:
    """Say of every ride that it is open, unless something was said of it before."""
    known = set(TopicStatus.objects.values_list("key", flat=True))
    for ride in rides():
        if (key := f"ride:{ride.id}") not in known:
            set_status(
                key=key,
                status="open",
                facts={"name": ride.name},
                author_name="source:ride control",
                now=now,
            )
