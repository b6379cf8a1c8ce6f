"""Store the events of a request, and report their outcomes in the same order."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from django.db import transaction
from django.http import HttpResponse
from uuid_utils.compat import uuid7

from channels.ingest import http
from channels.ingest.http import ErrorResponse
from customers import ingest
from customers.types import IncomingEvent, IngestOutcome, RejectedItem, Sender

QUARANTINE_STATUSES = ("quarantined", "other_content")


def store_events(
    *,
    sender: Sender,
    events: Sequence[IncomingEvent | RejectedItem],
    received_at: datetime,
    is_strict: bool = False,
) -> list[IngestOutcome]:
    """Store the events, and return one outcome for each.

    In strict mode, one invalid event prevents the storage of all. Raises ErrorResponse then.
    """
    events = [
        _with_message_id(event) if isinstance(event, IncomingEvent) else event for event in events
    ]
    if not is_strict:
        return _record(sender, events, received_at)
    with transaction.atomic():
        outcomes = _record(sender, events, received_at)
        if invalid_items := _invalid_items(outcomes):
            raise ErrorResponse(400, "invalid_items", "No event was stored.", items=invalid_items)
    return outcomes


def _invalid_items(outcomes: Sequence[IngestOutcome]) -> list[dict[str, object]]:
    """Return the places and reasons of the events that would go to quarantine."""
    return [
        {"index": index, "reason": outcome.reason or outcome.status}
        for index, outcome in enumerate(outcomes)
        if outcome.status in QUARANTINE_STATUSES
    ]


def success_response(outcomes: Sequence[IngestOutcome], *, warnings: int = 0) -> HttpResponse:
    """Return the response that all clients read as success, with the counts in its headers."""
    response = HttpResponse(http.SUCCESS, content_type="application/json")
    return add_count_headers(response, outcomes, warnings=warnings)


def add_count_headers(
    response: HttpResponse, outcomes: Sequence[IngestOutcome], *, warnings: int = 0
) -> HttpResponse:
    """Set the headers with the counts of the outcomes, and return the same response."""
    statuses = [outcome.status for outcome in outcomes]
    response["Butler-Accepted"] = str(statuses.count("accepted"))
    response["Butler-Duplicates"] = str(statuses.count("duplicate"))
    response["Butler-Quarantined"] = str(sum(status in QUARANTINE_STATUSES for status in statuses))
    if warnings:
        response["Butler-Warnings"] = str(warnings)
    return response


def _with_message_id(event: IncomingEvent) -> IncomingEvent:
    if event.message_id:
        return event
    return msgspec.structs.replace(event, message_id=f"made-{uuid7()}")


def _record(
    sender: Sender, events: Sequence[IncomingEvent | RejectedItem], received_at: datetime
) -> list[IngestOutcome]:
    items = [event for event in events if isinstance(event, IncomingEvent)]
    refused = [event for event in events if isinstance(event, RejectedItem)]
    ingested = ingest.store_events(
        sender=sender, events=items, rejected_items=refused, received_at=received_at
    )
    stored = iter(ingested.outcomes)
    return [
        next(stored)
        if isinstance(event, IncomingEvent)
        else IngestOutcome("quarantined", reason=event.reason)
        for event in events
    ]
