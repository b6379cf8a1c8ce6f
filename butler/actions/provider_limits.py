"""How fast a way out may go, how much may be in hand at once, and when it has to rest."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from butler import sql

# A provider that failed so often in a row is left alone for a while, each time longer.
PATIENCE = 5
_FIRST_REST = 5.0
_LONGEST_REST = 300.0


class Room(NamedTuple):
    """How many messages may be claimed for a lane now, and whether it has to rest."""

    allowed: int
    is_resting: bool


def name_of(channel: str, place: int) -> str:
    """Return the lane of one of a channel's providers; the first has the channel's own name."""
    return f"{channel}:{place + 1}" if place else channel


def enter(lane: str, *, most: int, batches: int, now: datetime) -> Room:
    """Return how much room there is in a lane.

    most: messages of one batch. batches: of the channel in hand at once, so that a way out whose
    provider hangs does not take every worker with it.
    """
    channel = lane.partition(":")[0]
    params = {"lane": lane, "channel": channel, "most": most, "batches": batches, "now": now}
    ((allowed, is_resting),) = sql.rows("enter_lane", params)
    return Room(int(allowed), is_resting)


def note(lane: str, results: Iterable[str], *, now: datetime) -> None:
    """Remember how the provider did: after one success it is well again."""
    results = list(results)
    is_well = "accepted" in results or "rejected" in results
    bad = sum(result in ("transient", "uncertain") for result in results)
    if not bad and not is_well:
        return
    sql.run(
        "note_lane",
        {
            "lane": lane,
            "is_well": is_well,
            "bad": min(bad, PATIENCE),
            "patience": PATIENCE,
            "now": now,
            "first": _FIRST_REST,
            "longest": _LONGEST_REST,
        },
    )
