"""Writes the access log. The customer can read each row about their record."""

import time
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from customers import sql
from customers.models import AccessLogEntry

# The role of an API key. It stands for a system of the company, not for a person.
SYSTEM = "api"


def log_staff_access(
    *,
    customer_ids: Iterable[UUID],
    actor: str,
    role: str,
    what: str,
    reason: str = "",
    now: datetime,
) -> None:
    """Log in one statement that an actor read these live records, with role, page and reason."""
    ids = list(customer_ids)
    AccessLogEntry.objects.bulk_create(
        [
            AccessLogEntry(customer_id=customer_id, at=now, **_columns(actor, role, what, reason))
            for customer_id in ids
        ]
    )
    # A page that then requests itself again writes no second row.
    _remember((id_, actor, access) for id_ in ids for access in (f"{what} ", f"{what} {reason}"))


def log_polled_access(
    *,
    customer_ids: Iterable[UUID],
    actor: str,
    role: str,
    what: str,
    reason: str,
    now: datetime,
) -> None:
    """Log that a page which the browser requests every second shows these records to an actor.

    Within ten minutes, this process logs an access with the same reason once.
    """
    access = f"{what} {reason}"
    ids = [id_ for id_ in customer_ids if _is_new((id_, actor, access))]
    if ids:
        log_staff_access(
            customer_ids=ids, actor=actor, role=role, what=what, reason=reason, now=now
        )


def _columns(actor: str, role: str, what: str, reason: str) -> dict[str, str]:
    """Return the values of the columns, cut to the lengths of the columns."""
    return {"actor": actor[:100], "role": role[:32], "what": what[:32], "reason": reason[:200]}


# If a key, or a page that requests itself, reads a record again within this time, the process writes
# no second row.
_REPEAT_SECONDS = 600.0
_MAX_RECENT = 20_000
_recent: dict[tuple[UUID, str, str], float] = {}


def log_api_access(
    *,
    customer_ids: Iterable[UUID],
    actor: str,
    role: str,
    what: str,
    reason: str = "",
    now: datetime,
) -> None:
    """Log an access through the API, without waiting for the disk (insert_access_log.sql).

    Accesses of one key to the same page within ten minutes make one row. Each access of a person
    makes a row.
    """
    ids = list(customer_ids)
    if role == SYSTEM:
        ids = [customer_id for customer_id in ids if _is_new((customer_id, actor, what))]
    if not ids:
        return
    sql.run("insert_access_log", {"ids": ids, "at": now} | _columns(actor, role, what, reason))
    # After the statement: if it fails, the next attempt must log the access.
    if role == SYSTEM:
        _remember((customer_id, actor, what) for customer_id in ids)


def _is_new(access: tuple[UUID, str, str]) -> bool:
    """Tell whether this process has not logged the same access within the last ten minutes."""
    moment = time.monotonic()
    return moment - _recent.get(access, -_REPEAT_SECONDS) >= _REPEAT_SECONDS


def _remember(accesses: Iterable[tuple[UUID, str, str]]) -> None:
    if len(_recent) >= _MAX_RECENT:
        _recent.clear()
    _recent.update(dict.fromkeys(accesses, time.monotonic()))
