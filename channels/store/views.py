"""The `/v1/store/` endpoints for tills and gates: single scans, and batches of offline tills."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.conf import settings
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
from channels.store.gate_sentence import gate_sentence, ticket_answer
from channels.store.scans import RawScan
from channels.store.ticket_scans import store_scans
from channels.store.till_batches import TillBatch, TillScan
from customers.access import access_log
from customers.actions import gate
from customers.actions.attempt_limits import WINDOW, TooManyAttempts
from customers.api.rate_limits import used_up
from customers.events.actors import actor_by_source
from customers.identity import lookup
from customers.identity.lookup import Match
from customers.queries.visits import find_visit
from customers.types import IngestOutcome, Sender
from customers.values import times


@http.endpoint("POST")
def scan(request: HttpRequest) -> HttpResponse:
    """Store one scan, and return the sentence about the ticket or the customer."""
    now = timezone.now()
    received = bodies.read_body(request)
    with load_shedding.request_slot():
        sender = authentication.find_trusted_sender(request)
        raw_scan = _parse_object(bodies.decompress(request, received))
        with http.invalid_event_refused():
            kind, value, _ = scans.scanned_identifier(raw_scan)
        if kind != "code":
            authentication.require_scope(sender, "read")
        load_shedding.check_event_limit(request, sender.source_id, 1, now)
        if kind == "code":
            return _scan_ticket(sender, raw_scan, now)
        return _look_up(sender, raw_scan, (kind, value), now)


def _look_up(
    sender: Sender, raw_scan: dict[str, Any], identifier: tuple[str, str], now: datetime
) -> HttpResponse:
    """Store the scan of a card, an order or a phone; return the sentence about the customer."""
    kind, value = identifier
    with http.invalid_event_refused():
        event = scans.scan_event(raw_scan, message_id=_scan_id(raw_scan))
    customers = _known_customers(sender, kind, value)
    stored = _store_scan(sender, event, now)
    _refuse_unstored(stored.outcomes[0])
    if len(customers) != 1:
        raise _no_single_customer(len(customers))
    today = _local_date(raw_scan, now)
    visit = find_visit(customers[0].id, today=today, number=value if kind == "order" else "")
    access_log.log_api_access(
        customer_ids=[customers[0].id],
        actor=actor_by_source(sender.name, scans.text_field(raw_scan, "staff")),
        role=access_log.SYSTEM,
        what="gate",
        now=now,
    )
    sentence = gate_sentence(customers[0], visit, today=today)
    answer = sentence._asdict() | {"order": visit._asdict() if visit else None}
    return store.add_count_headers(http.json_response(answer), stored)


def _scan_ticket(sender: Sender, raw_scan: dict[str, Any], now: datetime) -> HttpResponse:
    """Store the scan of a ticket code, and return the state of the ticket in one line."""
    gate_sender = gate.gate_sender(sender)
    has_id = scans.text_field(raw_scan, "device") and scans.text_field(raw_scan, "id")
    raw = RawScan(raw_scan, _scan_id(raw_scan) if has_id else "", now)
    request_context = _scan_context(now)
    try:
        [decision], stored = store_scans([raw], [], gate_sender, request_context)
    except TooManyAttempts as error:
        message = "This source has scanned too many unknown codes."
        headers = used_up("unknown-codes", limit=error.tries, window=WINDOW, seconds=error.seconds)
        raise ErrorResponse(429, "too_many_codes", message, headers=headers) from None
    if decision.state == gate.OTHER_CONTENT:
        raise _other_content()
    _refuse_unstored(stored.outcomes[0])
    answer = ticket_answer(
        decision,
        today=timezone.localdate(now),
        zone=gate_sender.policy.zone,
        company=settings.BUTLER_COMPANY,
        can_read=gate_sender.can_read,
    )
    return store.add_count_headers(http.json_response(answer), stored)


def _refuse_unstored(outcome: IngestOutcome) -> None:
    """Raise ErrorResponse for a scan that was not stored, so that the answer contains no customer."""
    if outcome.status == "other_content":
        raise _other_content()
    if outcome.status == "quarantined":
        message = "The scan is in quarantine, because Butler cannot read it."
        raise ErrorResponse(400, outcome.reason or "quarantined", message)


def _other_content() -> ErrorResponse:
    message = "The device sent another scan with this id before."
    return ErrorResponse(409, "other_content", message)


@http.endpoint("POST")
def batch(request: HttpRequest) -> HttpResponse:
    """Store the scans of an offline till, in any order, late or repeated."""
    now = timezone.now()
    received = bodies.read_body(request)
    with load_shedding.request_slot():
        sender = authentication.find_trusted_sender(request)
        batch = _parse_batch(bodies.decompress(request, received))
        load_shedding.check_event_limit(request, sender.source_id, len(batch.raw_scans), now)
        request_context = _batch_context(batch, now)
        till_scans = [
            till_batches.read_scan(raw, batch, request_context) for raw in batch.raw_scans
        ]
        outcomes, stored = _store_batch(sender, till_scans, request_context)
    lines = [
        {"id": till_scan.id, "status": outcome.status, "reason": outcome.reason}
        for till_scan, outcome in zip(till_scans, outcomes, strict=True)
    ]
    answer = {"success": True, "sequence": batch.sequence, "lines": lines}
    return store.add_count_headers(http.json_response(answer), stored)


def _store_batch(
    sender: Sender, till_scans: Sequence[TillScan], request_context: RequestContext
) -> tuple[list[IngestOutcome], StoredEvents]:
    """Store a batch; return the outcomes in the order of its lines, and the stored events."""
    tickets = [row.event for row in till_scans if isinstance(row.event, RawScan)]
    events = [row.event for row in till_scans if not isinstance(row.event, RawScan)]
    _, stored = store_scans(tickets, events, gate.gate_sender(sender), request_context)
    of_tickets = iter(stored.outcomes[: len(tickets)])
    of_events = iter(stored.outcomes[len(tickets) :])
    outcomes = [
        next(of_tickets if isinstance(row.event, RawScan) else of_events) for row in till_scans
    ]
    return outcomes, stored


def _store_scan(sender: Sender, event: dict[str, Any], now: datetime) -> StoredEvents:
    events = [segment.build_or_reject(event, _scan_context(now))]
    return store.store_events(sender=sender, events=events, received_at=now)


def _scan_context(now: datetime) -> RequestContext:
    return RequestContext(
        received_at=now, is_trusted=True, local_zone=timezone.get_default_timezone()
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
