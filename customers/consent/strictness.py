"""Computes how strict a statement is. If two statements apply, the stricter one holds. Pure."""

from datetime import datetime, time
from typing import Any

# A larger value is stricter.
type Strictness = tuple[int, float]

_CONSENT_RANKS = {"given": 0, "expired": 1, "invalidated": 2, "withdrawn": 3, "refused": 4}
_DAY = 24 * 60
_PERIOD_DAYS = {"day": 1, "week": 7, "month": 30}
# Settings where "yes" is less strict than no setting, and "no" is stricter.
_TWO_SIDED = frozenset({"allow", "data_use"})


def strictness(kind: str, subject: str, value: Any) -> Strictness:
    """Return the strictness of a statement, from its kind, subject and value."""
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
    """Return the minutes from start to end ("HH:MM"); 1440 if both are equal."""
    first, last = time.fromisoformat(start), time.fromisoformat(end)
    return (last.hour * 60 + last.minute - first.hour * 60 - first.minute) % _DAY or _DAY
