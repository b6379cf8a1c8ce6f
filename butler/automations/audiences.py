"""Whom something may be of use to: named sets of customers, read a batch at a time.

An audience is a first sieve, never a right: each of them is judged one by one afterwards.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from butler import sql
from butler.decisions.inputs import company_zone
from butler.due import civil_time

NOBODY = UUID(int=0)
# By name; whether it takes what comes after a colon: "consented:offers", "told:ride-down".
NAMES: Mapping[str, bool] = {
    "everyone": False,
    "visiting_today": False,
    "consented": True,
    "told": True,
}
_FILES = {"visiting_today": "visiting"}


class NoSuchAudience(ValueError):
    pass


def check(audience: str) -> None:
    """Raise NoSuchAudience where there is none of that name."""
    name, colon, of_what = audience.partition(":")
    if name not in NAMES or NAMES[name] != bool(of_what) or bool(colon) != bool(of_what):
        raise NoSuchAudience(f"there is no audience {audience!r}")


def batch(audience: str, *, topic: str, after: UUID, most: int, now: datetime) -> list[UUID]:
    """Return the next customers of an audience, in the order of their ids."""
    check(audience)
    name, _, of_what = audience.partition(":")
    today = civil_time.local_day(now, company_zone())
    params = {
        "after": after,
        "most": most,
        "today": today,
        "purpose": of_what,
        "automation": of_what,
        "topic": topic,
        "since": _first_id(civil_time.resolve(today, "00:00", company_zone())),
    }
    return [id_ for (id_,) in sql.rows(f"audience_{_FILES.get(name, name)}", params)]


def _first_id(moment: datetime) -> UUID:
    """Return the smallest id that a row made at this time or later can have (UUIDv7)."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
