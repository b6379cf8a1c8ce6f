"""The rides of Larkmoor and their posted waiting times."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from examples.themepark.catalogue import read_data


@dataclass(frozen=True, slots=True)
class Ride:
    id: str
    name: str
    land: str
    minimum_height: int
    waits: tuple[int, ...]

    def posted_wait(self, at: datetime) -> int | None:
        """Return the posted waiting time in minutes, or None while the park is closed."""
        local = at.astimezone(zone())
        opens = int(read_data("park")["opens"])
        hour = local.hour - opens
        return self.waits[hour] if 0 <= hour < len(self.waits) else None


def zone() -> ZoneInfo:
    """Return the time zone of the park."""
    return ZoneInfo(read_data("park")["time_zone"])


def rides() -> tuple[Ride, ...]:
    """Return the rides of the park, in the order of the file."""
    return tuple(
        Ride(**{**ride, "waits": tuple(ride["waits"])}) for ride in read_data("rides")["rides"]
    )
