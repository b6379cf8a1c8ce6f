"""Hand a request's events to the record, and say what became of each, in the order it came."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from django.db import transaction
from django.http import HttpResponse
from uuid_utils.compat import uuid7

from channels.ingest import http
from channels.ingest.http import Refusal
from customers import ingest
from customers.types import IncomingEvent, IngestOutcome, RejectedItem, Sender

KEPT_APART = ("quarantined", "other_content")


def take_in(
    *,
    sender: Sender,
    found: Sequence[IncomingEvent | RejectedItem],
    received_at: datetime,
    is_strict: bool = False,
) -> list[IngestOutcome]:
    """Store what was found, one outcome each. Where strict, all of it or nothing."""
    found = [_named(one) if isinstance(one, IncomingEvent) else one for one in found]
    if not is_strict:
        return _recorded(sender, found, received_at)
    with transaction.atomic():
        outcomes = _recorded(sender, found, received_at)
        bad = [
            {"index": index, "reason": outcome.reason or outcome.status}
            for index, outcome in enumerate(outcomes)
            if outcome.status in KEPT_APART
        ]
        if bad:
            raise Refusal(400, "invalid_items", "Nothing was stored.", items=bad)
    return outcomes


def success(outcomes: Sequence[IngestOutcome], *, warnings: int = 0) -> HttpResponse:
    """Answer what every client takes for success; the particulars go into headers."""
    response = HttpResponse(http.SUCCESS, content_type="application/json")
    return count(response, outcomes, warnings=warnings)


def count(
    response: HttpResponse, outcomes: Sequence[IngestOutcome], *, warnings: int = 0
) -> HttpResponse:
    statuses = [outcome.status for outcome in outcomes]
    response["Butler-Accepted"] = str(statuses.count("accepted"))
    response["Butler-Duplicates"] = str(statuses.count("duplicate"))
    response["Butler-Quarantined"] = str(sum(status in KEPT_APART for status in statuses))
    if warnings:
        response["Butler-Warnings"] = str(warnings)
    return response


def _named(item: IncomingEvent) -> IncomingEvent:
    if item.message_id:
        return item
    return msgspec.structs.replace(item, message_id=f"made-{uuid7()}")


def _recorded(
    sender: Sender, found: Sequence[IncomingEvent | RejectedItem], received_at: datetime
) -> list[IngestOutcome]:
    items = [one for one in found if isinstance(one, IncomingEvent)]
    refused = [one for one in found if isinstance(one, RejectedItem)]
    receipt = ingest.record(sender=sender, items=items, refused=refused, received_at=received_at)
    stored = iter(receipt.outcomes)
    return [
        next(stored)
        if isinstance(one, IncomingEvent)
        else IngestOutcome("quarantined", reason=one.reason)
        for one in found
    ]
