"""Which of two statements is the stricter one: it holds where both apply. Pure."""

from datetime import datetime, time
from typing import Any

# The larger, the stricter.
type Strictness = tuple[int, float]

_CONSENT_RANKS = {"given": 0, "expired": 1, "invalidated": 2, "withdrawn": 3, "refused": 4}
_DAY = 24 * 60
_PERIOD_DAYS = {"day": 1, "week": 7, "month": 30}
# Settings in which a yes says more than nothing does, and a no less.
_TWO_SIDED = frozenset({"allow", "data_use"})


def strictness(kind: str, subject: str, value: Any) -> Strictness:
    """Return how strict a statement is, from its kind, its subject and its value."""
    family, _, action = kind.partition(".")
    if family == "consent":
        return _CONSENT_RANKS.get(action, 5), 0
    if family == "objection":
        return int(action == "made"), 0
    if family != "preference":
        return 0, 0
    if action == "cleared":
        return int(subject in _TWO_SIDED), 0
    return _setting_strictness(subject, value)


def _setting_strictness(name: str, value: Any) -> Strictness:
    match name:
        case "allow" | "data_use":
            return (0, 0) if value else (2, 0)
        case "pause":
            return 1, datetime.fromisoformat(value).timestamp()
        case "budget":
            return 1, -value["most"] / _PERIOD_DAYS[value["per"]]
        case "quiet_hours":
            return 1, quiet_minutes(value["from"], value["to"]) * len(value.get("days") or range(7))
        case "only_when_i_ask" | "person_first":
            return int(value), 0
    return 1, 0


def quiet_minutes(start: str, end: str) -> int:
    """Return how long local hours from start to end are; to the same time is a whole day."""
    first, last = time.fromisoformat(start), time.fromisoformat(end)
    return (last.hour * 60 + last.minute - first.hour * 60 - first.minute) % _DAY or _DAY
