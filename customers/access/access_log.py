"""Writes the access log: every access to a record is a row that its customer can read."""

import time
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from customers import sql
from customers.models import AccessLogEntry

# The role of a key: a system of the company, not a person.
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
    """Log that an actor read these live records: role, page and reason. One statement."""
    AccessLogEntry.objects.bulk_create(
        [
            AccessLogEntry(customer_id=customer_id, at=now, **_columns(actor, role, what, reason))
            for customer_id in customer_ids
        ]
    )


def _columns(actor: str, role: str, what: str, reason: str) -> dict[str, str]:
    """Return these texts at the length that their columns have."""
    return {"actor": actor[:100], "role": role[:32], "what": what[:32], "reason": reason[:200]}


# A key that reads a record again within this time leaves one row, not thousands.
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
    """Log an access by the API, without waiting for the disk (insert_access_log.sql).

    Accesses of one key to the same page within ten minutes are one row; every access of a person
    is logged.
    """
    ids = list(customer_ids)
    if role == SYSTEM:
        ids = [customer_id for customer_id in ids if _is_new((customer_id, actor, what))]
    if not ids:
        return
    sql.run("insert_access_log", {"ids": ids, "at": now} | _columns(actor, role, what, reason))
    # Only now: where the statement failed, the next try has to log the access.
    if role == SYSTEM:
        _remember((customer_id, actor, what) for customer_id in ids)


def _is_new(access: tuple[UUID, str, str]) -> bool:
    """Tell whether this process did not log the same access a short while ago."""
    moment = time.monotonic()
    return moment - _recent.get(access, -_REPEAT_SECONDS) >= _REPEAT_SECONDS


def _remember(accesses: Iterable[tuple[UUID, str, str]]) -> None:
    if len(_recent) >= _MAX_RECENT:
        _recent.clear()
    _recent.update(dict.fromkeys(accesses, time.monotonic()))
