"""Every look at a record is a row that its customer can read."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from customers import sql
from customers.models import Look


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


def note(
    *,
    customer_ids: Iterable[UUID],
    actor: str,
    role: str,
    what: str,
    reason: str = "",
    now: datetime,
) -> None:
    """Write down a look by way of the API, as cheaply as can be: see note_looks.sql."""
    params = {
        "ids": list(customer_ids),
        "at": now,
        "actor": actor[:100],
        "role": role[:32],
        "what": what[:32],
        "reason": reason[:200],
    }
    sql.run("note_looks", params)
