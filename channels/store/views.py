"""`/v1/store/`: tills and gates, online with an answer at once, or offline for days."""

from datetime import date, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from uuid_utils.compat import uuid7

from channels.ingest import clock, http, limits, load_shedding, segment, store
from channels.ingest.http import ErrorResponse
from channels.ingest.limits import InvalidEvent
from channels.ingest.segment import RequestContext
from channels.ingest.tolerant_json import InvalidBatch
from channels.store import batches, lines
from channels.store.batches import Batch
from channels.store.short_form import short_form
from customers.identity import lookup


@http.endpoint("POST")
def scan(request: HttpRequest) -> HttpResponse:
    """Take in one scan, and answer with the short form of the record it leads to."""
    now = timezone.now()
    received = http.read_body(request)
    with load_shedding.request_slot():
        sender = http.find_trusted_sender(request)
        http.require_scope(sender, "read")
        line = _object(http.decompress(request, received))
        try:
            kind, value, _ = lines.scanned(line)
            event = lines.read_scan(line, message_id=_scan_id(line))
        except limits.READER_ERRORS as error:
            invalid = limits.as_invalid_event(error)
            raise ErrorResponse(400, invalid.reason, invalid.detail) from None
        load_shedding.check_event_limit(sender.source_id, 1, now)
        matches = lookup.matches(
            kind, value, region=sender.default_region, source_id=sender.source_id
        )
        found = [match for match in matches if match.is_known]
        request_context = RequestContext(received_at=now, is_trusted=True)
        outcomes = store.store_events(
            sender=sender, events=[segment.build_or_reject(event, request_context)], received_at=now
        )
        if len(found) != 1:
            raise _nobody(len(found))
        today = _day(line, now)
        number = value if kind == "order" else ""
        visit = lookup.visit(found[0].id, today=today, number=number)
    shown = short_form(found[0], visit, today=today)
    answer = shown._asdict() | {"order": visit._asdict() if visit else None}
    return store.add_count_headers(http.json_response(answer), outcomes)


@http.endpoint("POST")
def batch(request: HttpRequest) -> HttpResponse:
    """Take in what an offline till gathered: in any order, late, twice."""
    now = timezone.now()
    received = http.read_body(request)
    with load_shedding.request_slot():
        sender = http.find_trusted_sender(request)
        batch = _opened(http.decompress(request, received))
        load_shedding.check_event_limit(sender.source_id, len(batch.lines), now)
        # The device says what its clock shows as it sends, so the error is known.
        error = clock.estimate_error(batch.clock, now, is_retry=False)
        request_context = RequestContext(received_at=now, clock_error=error, is_trusted=True)
        read = [batches.read_line(raw, batch, request_context) for raw in batch.lines]
        outcomes = store.store_events(
            sender=sender, events=[line.found for line in read], received_at=now
        )
    answer = {
        "success": True,
        "sequence": batch.sequence,
        "lines": [
            {"id": line.id, "status": outcome.status, "reason": outcome.reason}
            for line, outcome in zip(read, outcomes, strict=True)
        ],
    }
    return store.add_count_headers(http.json_response(answer), outcomes)


def _opened(body: bytes) -> Batch:
    try:
        return batches.open_batch(body)
    except InvalidBatch as error:
        raise ErrorResponse(400, "invalid_batch", f"Nothing was stored: {error}.") from None


def _object(body: bytes) -> dict[str, Any]:
    try:
        return limits.read_object(body)[0]
    except InvalidEvent as invalid:
        raise ErrorResponse(400, invalid.reason, invalid.detail) from None


def _scan_id(line: dict[str, Any]) -> str:
    """Name a scan by its device and line, so that an upload later is the same scan."""
    device, line_id = lines.text(line, "device"), lines.text(line, "id")
    return f"{device}:{line_id}" if device and line_id else f"scan-{uuid7()}"


def _day(line: dict[str, Any], now: datetime) -> date:
    """Tell which day it is where the till stands."""
    try:
        return datetime.fromisoformat(lines.text(line, "at")).date()
    except ValueError:
        return timezone.localdate(now)


def _nobody(count: int) -> ErrorResponse:
    if count:
        return ErrorResponse(409, "many_customers", "Several customers share this; ask for a card.")
    return ErrorResponse(404, "unknown_customer", "Nobody is known by this; the scan was kept.")
