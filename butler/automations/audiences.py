"""Audiences: named sets of customers, read a batch at a time.

An audience only narrows. It gives no right to a message: each of its customers is decided on
afterwards, one by one.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from butler import sql
from butler.decisions.inputs import company_zone
from butler.due import civil_time

# Before the first customer of every audience.
FIRST_CURSOR = UUID(int=0)
# By name, whether a parameter follows a colon: "consented:offers", "notified:ride-down".
_TAKES_PARAMETER: Mapping[str, bool] = {
    "everyone": False,
    "visiting_today": False,
    "consented": True,
    "notified": True,
}


class UnknownAudience(ValueError):
    """There is no audience of this name."""


def validate_audience(audience: str) -> None:
    """Raise UnknownAudience where there is no audience of that name."""
    name, colon, parameter = audience.partition(":")
    if bool(colon) != bool(parameter) or _TAKES_PARAMETER.get(name) != bool(parameter):
        raise UnknownAudience(f"there is no audience {audience!r}")


def read_batch(audience: str, *, topic: str, after: UUID, limit: int, now: datetime) -> list[UUID]:
    """Return the next customers of an audience, in the order of their ids."""
    validate_audience(audience)
    name, _, parameter = audience.partition(":")
    today = civil_time.local_day(now, company_zone())
    params = {
        "after": after,
        "limit": limit,
        "today": today,
        "purpose": parameter,
        "automation": parameter,
        "topic": topic,
        "since": _smallest_id(civil_time.local_to_instant(today, "00:00", company_zone())),
    }
    return [id_ for (id_,) in sql.rows(f"audience_{name}", params)]


def _smallest_id(moment: datetime) -> UUID:
    """Return the smallest id that a row made at this time or later can have (UUIDv7)."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
