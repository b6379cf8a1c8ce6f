"""Store the events of a request, and report their outcomes in the same order."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from django.db import transaction
from django.http import HttpResponse
from uuid_utils.compat import uuid7

from channels.ingest import http
from channels.ingest.http import ErrorResponse
from customers import ingest
from customers.types import (
    ERASED,
    IncomingEvent,
    IngestOutcome,
    IngestWarning,
    RejectedItem,
    Sender,
    merge_warnings,
)

QUARANTINE_STATUSES = ("quarantined", "other_content")


class StoredEvents(NamedTuple):
    """The outcomes of the events of a request, in its order, and the warnings for its sender."""

    outcomes: Sequence[IngestOutcome]
    warnings: Sequence[IngestWarning] = ()


def store_events(
    *,
    sender: Sender,
    events: Sequence[IncomingEvent | RejectedItem],
    received_at: datetime,
    is_strict: bool = False,
) -> StoredEvents:
    """Store the events, and return one outcome for each, with the warnings.

    In strict mode, one invalid event prevents the storage of all. Raises ErrorResponse then.
    """
    events = [
        _with_message_id(event) if isinstance(event, IncomingEvent) else event for event in events
    ]
    if not is_strict:
        return _record(sender, events, received_at)
    with transaction.atomic():
        stored = _record(sender, events, received_at)
        if invalid_items := _invalid_items(stored.outcomes):
            raise ErrorResponse(400, "invalid_items", "No event was stored.", items=invalid_items)
    return stored


def _invalid_items(outcomes: Sequence[IngestOutcome]) -> list[dict[str, object]]:
    """Return the places and reasons of the events that would go to quarantine."""
    return [
        {"index": index, "reason": outcome.reason or outcome.status}
        for index, outcome in enumerate(outcomes)
        if outcome.status in QUARANTINE_STATUSES
    ]


def success_response(stored: StoredEvents) -> HttpResponse:
    """Return the response that all clients read as success, with the counts in its headers."""
    refused = _refused_items(stored)
    if not refused:
        response = HttpResponse(http.SUCCESS, content_type="application/json")
    else:
        response = http.json_response({"success": True, "refused": refused})
    return add_count_headers(response, stored)


def _refused_items(stored: StoredEvents) -> list[dict[str, object]]:
    """Return the places of the events that Butler did not store, for a sender that gets warnings."""
    if all(warning.code != ERASED for warning in stored.warnings):
        return []
    return [
        {"index": index, "reason": outcome.reason}
        for index, outcome in enumerate(stored.outcomes)
        if outcome.status == ERASED
    ]


def add_count_headers(response: HttpResponse, stored: StoredEvents) -> HttpResponse:
    """Set the headers with the counts of the outcomes, and return the same response."""
    statuses = [outcome.status for outcome in stored.outcomes]
    response["Butler-Accepted"] = str(statuses.count("accepted"))
    response["Butler-Duplicates"] = str(statuses.count("duplicate"))
    response["Butler-Quarantined"] = str(sum(status in QUARANTINE_STATUSES for status in statuses))
    if stored.warnings:
        # A list with parameters, as in RFC 9651.
        response["Butler-Warnings"] = ", ".join(
            _warning_item(warning) for warning in merge_warnings(stored.warnings)
        )
    return response


def _warning_item(warning: IngestWarning) -> str:
    code, _, known_name = warning.code.partition(":")
    counted = f"{code};count={warning.count}"
    if not known_name:
        return counted
    return f'{counted};name="{_quotable(warning.example)}";meant="{known_name}"'


def _quotable(text: str) -> str:
    """Return text for a string of a header: printable ASCII without quotes and backslashes."""
    return "".join(c if " " <= c <= "~" and c not in '"\\' else "?" for c in text[:60])


def _with_message_id(event: IncomingEvent) -> IncomingEvent:
    if event.message_id:
        return event
    return msgspec.structs.replace(event, message_id=f"made-{uuid7()}")


def _record(
    sender: Sender, events: Sequence[IncomingEvent | RejectedItem], received_at: datetime
) -> StoredEvents:
    items = [event for event in events if isinstance(event, IncomingEvent)]
    refused = [event for event in events if isinstance(event, RejectedItem)]
    ingested = ingest.store_events(
        sender=sender, events=items, rejected_items=refused, received_at=received_at
    )
    stored = iter(ingested.outcomes)
    rejected = iter(
        IngestOutcome(ERASED, reason=ERASED)
        if place in ingested.erased_items
        else IngestOutcome("quarantined", reason=rejected_item.reason)
        for place, rejected_item in enumerate(refused)
    )
    outcomes = [next(stored if isinstance(event, IncomingEvent) else rejected) for event in events]
    # A publishable key is public, so its answers tell nothing about the configuration.
    return StoredEvents(outcomes, () if sender.is_public else ingested.warnings)
