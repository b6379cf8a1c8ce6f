"""The `/v1/store/` endpoints for tills and gates: single scans, and batches of offline tills."""

from datetime import date, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from uuid_utils.compat import uuid7

from channels.ingest import (
    authentication,
    bodies,
    clock,
    http,
    limits,
    load_shedding,
    segment,
    store,
)
from channels.ingest.http import ErrorResponse
from channels.ingest.limits import InvalidEvent
from channels.ingest.segment import RequestContext
from channels.ingest.store import StoredEvents
from channels.ingest.tolerant_json import InvalidBatch
from channels.store import scans, till_batches
from channels.store.gate_sentence import gate_sentence
from channels.store.till_batches import TillBatch
from customers.identity import lookup
from customers.identity.lookup import Match
from customers.queries.visits import find_visit
from customers.types import Sender
from customers.values import times


@http.endpoint("POST")
def scan(request: HttpRequest) -> HttpResponse:
    """Store one scan, and return the gate sentence of the customer."""
    now = timezone.now()
    received = bodies.read_body(request)
    with load_shedding.request_slot():
        sender = authentication.find_trusted_sender(request)
        authentication.require_scope(sender, "read")
        raw_scan = _parse_object(bodies.decompress(request, received))
        with http.invalid_event_refused():
            kind, value, _ = scans.scanned_identifier(raw_scan)
            event = scans.scan_event(raw_scan, message_id=_scan_id(raw_scan))
        load_shedding.check_event_limit(sender.source_id, 1, now)
        customers = _known_customers(sender, kind, value)
        stored = _store_scan(sender, event, now)
        outcome = stored.outcomes[0]
        if outcome.status == "quarantined":
            message = "The scan is in quarantine, because Butler cannot read it."
            raise ErrorResponse(400, outcome.reason or "quarantined", message)
        if len(customers) != 1:
            raise _no_single_customer(len(customers))
        today = _local_date(raw_scan, now)
        number = value if kind == "order" else ""
        visit = find_visit(customers[0].id, today=today, number=number)
    sentence = gate_sentence(customers[0], visit, today=today)
    answer = sentence._asdict() | {"order": visit._asdict() if visit else None}
    return store.add_count_headers(http.json_response(answer), stored)


@http.endpoint("POST")
def batch(request: HttpRequest) -> HttpResponse:
    """Store the scans of an offline till, in any order, late or repeated."""
    now = timezone.now()
    received = bodies.read_body(request)
    with load_shedding.request_slot():
        sender = authentication.find_trusted_sender(request)
        batch = _parse_batch(bodies.decompress(request, received))
        load_shedding.check_event_limit(sender.source_id, len(batch.raw_scans), now)
        request_context = _batch_context(batch, now)
        till_scans = [
            till_batches.read_scan(raw, batch, request_context) for raw in batch.raw_scans
        ]
        stored = store.store_events(
            sender=sender, events=[till_scan.event for till_scan in till_scans], received_at=now
        )
    lines = [
        {"id": till_scan.id, "status": outcome.status, "reason": outcome.reason}
        for till_scan, outcome in zip(till_scans, stored.outcomes, strict=True)
    ]
    answer = {"success": True, "sequence": batch.sequence, "lines": lines}
    return store.add_count_headers(http.json_response(answer), stored)


def _store_scan(sender: Sender, event: dict[str, Any], now: datetime) -> StoredEvents:
    request_context = RequestContext(
        received_at=now, is_trusted=True, local_zone=timezone.get_default_timezone()
    )
    return store.store_events(
        sender=sender, events=[segment.build_or_reject(event, request_context)], received_at=now
    )


def _known_customers(sender: Sender, kind: str, value: str) -> list[Match]:
    matches = lookup.find_matches(
        kind, value, region=sender.default_region, source_id=sender.source_id
    )
    return [match for match in matches if match.is_known]


def _batch_context(batch: TillBatch, now: datetime) -> RequestContext:
    # The device sends the time of its clock, so the error of the clock is known.
    zone = timezone.get_default_timezone()
    error = clock.estimate_error(times.read_instant(batch.clock, zone), now, is_retry=False)
    return RequestContext(received_at=now, clock_error=error, is_trusted=True, local_zone=zone)


def _parse_batch(body: bytes) -> TillBatch:
    try:
        return till_batches.parse_batch(body)
    except InvalidBatch as error:
        raise ErrorResponse(400, "invalid_batch", f"No scan was stored: {error}.") from None


def _parse_object(body: bytes) -> dict[str, Any]:
    try:
        return limits.read_object(body)[0]
    except InvalidEvent as invalid:
        raise ErrorResponse(400, invalid.reason, invalid.detail) from None


def _scan_id(raw_scan: dict[str, Any]) -> str:
    """Return the message id of a scan, which is the same if its device uploads it again later."""
    device, scan_id = scans.text_field(raw_scan, "device"), scans.text_field(raw_scan, "id")
    return f"{device}:{scan_id}" if device and scan_id else f"scan-{uuid7()}"


def _local_date(raw_scan: dict[str, Any], now: datetime) -> date:
    """Return the date of the scan, or else of now, in the company's time zone."""
    at = scans.text_field(raw_scan, "at")
    return times.read_date(at, timezone.get_default_timezone()).value or timezone.localdate(now)


def _no_single_customer(count: int) -> ErrorResponse:
    if count:
        message = "Several customers have this identifier. Ask for a card. Butler stored the scan."
        return ErrorResponse(409, "many_customers", message)
    message = "No customer has this identifier. Butler stored the scan."
    return ErrorResponse(404, "unknown_customer", message)
