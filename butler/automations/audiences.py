"""Audiences: named sets of customers, read in batches.

Membership in an audience gives no permission for a message. Butler decides afterwards for each
customer separately.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from butler import sql
from butler.decisions.inputs import company_zone
from butler.due import civil_time

# The cursor before the first customer of an audience.
FIRST_CURSOR = UUID(int=0)
# Whether the audience has a parameter after a colon: "consented:offers", "notified:ride-down".
_TAKES_PARAMETER: Mapping[str, bool] = {
    "everyone": False,
    "visiting_today": False,
    "consented": True,
    "notified": True,
}


class UnknownAudience(ValueError):
    """There is no audience with this name."""


def validate_audience(audience: str) -> None:
    """Raise UnknownAudience if the name or its parameter is invalid."""
    name, colon, parameter = audience.partition(":")
    if bool(colon) != bool(parameter) or _TAKES_PARAMETER.get(name) != bool(parameter):
        raise UnknownAudience(f"there is no audience {audience!r}")


def read_batch(audience: str, *, topic: str, after: UUID, limit: int, now: datetime) -> list[UUID]:
    """Return the ids of the next customers of an audience, in order, after the id `after`."""
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
    """Return the smallest id (UUIDv7) of rows that are created at this time or later."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
