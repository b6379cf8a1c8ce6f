"""Every look at a record is a row that its customer can read."""

import time
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from customers import sql
from customers.models import Look

# The role of a key: a system of the company, not a person.
SYSTEM = "api"


def look(
    *,
    customer_ids: Iterable[UUID],
    actor: str,
    role: str,
    what: str,
    reason: str = "",
    now: datetime,
) -> None:
    """Write down who looks at these live records, as what, at what, and why. One statement."""
    Look.objects.bulk_create(
        [
            Look(
                customer_id=customer_id,
                at=now,
                actor=actor[:100],
                role=role[:32],
                what=what[:32],
                reason=reason[:200],
            )
            for customer_id in customer_ids
        ]
    )


# A system that reads a record again and again is one look in so long, not thousands.
_ONE_LOOK = 600.0
_MOST_REMEMBERED = 20_000
_seen: dict[tuple[UUID, str, str], float] = {}


def note(
    *,
    customer_ids: Iterable[UUID],
    actor: str,
    role: str,
    what: str,
    reason: str = "",
    now: datetime,
) -> None:
    """Write down a look by way of the API, as cheaply as can be: see note_looks.sql.

    What a key reads again within ten minutes is still the same look; a person's are all kept.
    """
    ids = list(customer_ids)
    if role == SYSTEM:
        ids = [customer_id for customer_id in ids if _is_news((customer_id, actor, what))]
    if not ids:
        return
    params = {
        "ids": ids,
        "at": now,
        "actor": actor[:100],
        "role": role[:32],
        "what": what[:32],
        "reason": reason[:200],
    }
    sql.run("note_looks", params)
    # Only now: a look whose statement failed is to be noted when it is tried again.
    if role == SYSTEM:
        _remember((customer_id, actor, what) for customer_id in ids)


def _is_news(look: tuple[UUID, str, str]) -> bool:
    """Tell whether this process did not note the same look a short while ago."""
    moment = time.monotonic()
    return moment - _seen.get(look, -_ONE_LOOK) >= _ONE_LOOK


def _remember(looks: Iterable[tuple[UUID, str, str]]) -> None:
    if len(_seen) >= _MOST_REMEMBERED:
        _seen.clear()
    _seen.update(dict.fromkeys(looks, time.monotonic()))
