"""Asking for a person, such as to be called back; and what came of it."""

import secrets
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from customers.actions.changes import Author, Statement, state
from customers.models import Request
from customers.projections import requests
from customers.types import IngestOutcome


class NoSuchRequest(Exception):
    """The customer asked for nothing by this reference."""


class Asked(NamedTuple):
    """A new request: its reference, and where it stands."""

    reference: str
    outcome: IngestOutcome


def ask_for_callback(
    *,
    customer_id: UUID,
    author: Author,
    subject: str,
    wanted_at: datetime | None,
    now: datetime,
    reference: str = "",
) -> Asked:
    """Note that a customer wants to be called, at a time or as soon as may be."""
    reference = reference or secrets.token_hex(8)
    said: dict[str, object] = {"reference": reference, "subject": subject}
    if wanted_at:
        said["wanted_at"] = wanted_at.isoformat()
    return Asked(reference, _state(customer_id, author, requests.REQUESTED, said, now))


def answer(
    *, customer_id: UUID, author: Author, reference: str, outcome: str, now: datetime
) -> IngestOutcome:
    """Note that somebody did what was asked."""
    said = _of_known(customer_id, reference) | {"outcome": outcome}
    return _state(customer_id, author, requests.ANSWERED, said, now)


def close(
    *, customer_id: UUID, author: Author, reference: str, outcome: str, now: datetime
) -> IngestOutcome:
    """Note that it need not be done any more; raise NoSuchRequest where there is none."""
    said = _of_known(customer_id, reference) | {"outcome": outcome}
    return _state(customer_id, author, requests.CLOSED, said, now)


def _of_known(customer_id: UUID, reference: str) -> dict[str, object]:
    if not Request.objects.filter(customer_id=customer_id, reference=reference).exists():
        raise NoSuchRequest
    return {"reference": reference}


def _state(
    customer_id: UUID, author: Author, name: str, said: dict[str, object], now: datetime
) -> IngestOutcome:
    about = f"{requests.PREFIX}{said['reference']}"
    return state(
        customer_id=customer_id,
        author=author,
        statements=[Statement(name, about, said, now)],
        now=now,
    )
