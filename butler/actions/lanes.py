"""How fast a way out may go, how much may be in hand at once, and when it has to rest."""

from collections.abc import Iterable
from datetime import datetime

from butler import sql

# A provider that failed so often in a row is left alone for a while, each time longer.
PATIENCE = 5
_FIRST_REST = 5.0
_LONGEST_REST = 300.0


def enter(channel: str, *, most: int, in_hand: int, now: datetime) -> int:
    """Return how many messages may be claimed for this channel now; 0: none.

    most: of one batch. in_hand: of all batches together, so that a way out whose provider
    hangs does not take every worker with it.
    """
    params = {"channel": channel, "most": most, "in_hand": in_hand, "now": now}
    ((allowed,),) = sql.rows("enter_lane", params)
    return int(allowed)


def note(channel: str, results: Iterable[str], *, now: datetime) -> None:
    """Remember how the provider did: after one success it is well again."""
    results = list(results)
    is_well = "accepted" in results or "rejected" in results
    bad = sum(result in ("transient", "uncertain") for result in results)
    if not bad and not is_well:
        return
    sql.run(
        "note_lane",
        {
            "channel": channel,
            "is_well": is_well,
            "bad": min(bad, PATIENCE),
            "patience": PATIENCE,
            "now": now,
            "first": _FIRST_REST,
            "longest": _LONGEST_REST,
        },
    )
