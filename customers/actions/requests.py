"""Records service requests of customers, such as a call back, and their answers."""

import secrets
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from customers.actions.changes import ChangeAuthor, RecordChange, record_changes
from customers.models import Request
from customers.projections import requests
from customers.types import IngestOutcome


class NoSuchRequest(Exception):
    """The customer has no request with this reference."""


class CreatedRequest(NamedTuple):
    """A new request: its reference, and the outcome of its event."""

    reference: str
    outcome: IngestOutcome


def request_callback(
    *,
    customer_id: UUID,
    author: ChangeAuthor,
    subject: str,
    wanted_at: datetime | None,
    now: datetime,
    reference: str = "",
) -> CreatedRequest:
    """Record that a customer requests a call, at `wanted_at` or as soon as possible."""
    reference = reference or secrets.token_hex(8)
    properties: dict[str, object] = {"reference": reference, "subject": subject}
    if wanted_at:
        properties["wanted_at"] = wanted_at.isoformat()
    return CreatedRequest(
        reference, _record(customer_id, author, requests.REQUESTED, properties, now)
    )


def answer_request(
    *, customer_id: UUID, author: ChangeAuthor, reference: str, outcome: str, now: datetime
) -> IngestOutcome:
    """Record that staff answered the request; raise NoSuchRequest if it does not exist."""
    properties = _existing_request(customer_id, reference) | {"outcome": outcome}
    return _record(customer_id, author, requests.ANSWERED, properties, now)


def close_request(
    *, customer_id: UUID, author: ChangeAuthor, reference: str, outcome: str, now: datetime
) -> IngestOutcome:
    """Record that the request is obsolete; raise NoSuchRequest if it does not exist."""
    properties = _existing_request(customer_id, reference) | {"outcome": outcome}
    return _record(customer_id, author, requests.CLOSED, properties, now)


def _existing_request(customer_id: UUID, reference: str) -> dict[str, object]:
    if not Request.objects.filter(customer_id=customer_id, reference=reference).exists():
        raise NoSuchRequest
    return {"reference": reference}


def _record(
    customer_id: UUID, author: ChangeAuthor, name: str, properties: dict[str, object], now: datetime
) -> IngestOutcome:
    about = f"{requests.PREFIX}{properties['reference']}"
    return record_changes(
        customer_id=customer_id,
        author=author,
        changes=[RecordChange(name, about, properties, now)],
        now=now,
    )
