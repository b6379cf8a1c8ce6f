"""Scans of ticket codes: decides, stores them, and puts them on the logs of the customers."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid4

import msgspec
from django.db import transaction

from butler.actions import staff_tasks
from channels.ingest import limits, segment, store
from channels.ingest.segment import ParsedEvent, RequestContext
from channels.ingest.store import StoredEvents
from channels.store import scans
from channels.store.scans import RawScan
from customers import sql
from customers.actions import gate
from customers.actions.gate import OTHER_CONTENT, GateSender
from customers.identity.resolution import stored_identifier
from customers.tickets.states import DOUBLE, Decision, Scan, ScannedTicket
from customers.types import IncomingEvent, IngestOutcome, RejectedItem
from customers.values.order_numbers import sent_number


class StoredScans(NamedTuple):
    """The decisions on scans of codes, and the outcomes of all events."""

    decisions: Sequence[Decision]
    stored: StoredEvents


def store_scans(
    raw_scans: Sequence[RawScan],
    events: Sequence[ParsedEvent],
    gate_sender: GateSender,
    request_context: RequestContext,
) -> StoredScans:
    """Store scans of codes with the other events of a batch, in one transaction.

    Returns the outcomes of the scans, and then those of the events. Raises TooManyAttempts.
    """
    now = request_context.received_at
    decisions: Sequence[Decision] = ()
    with transaction.atomic():
        if raw_scans:
            own_scans = [_scan(raw, gate_sender) for raw in raw_scans]
            decisions = gate.scan_tickets(own_scans, gate_sender, now)
        ticket_events = [
            _event(raw, decision, request_context)
            for raw, decision in zip(raw_scans, decisions, strict=True)
        ]
        filed = [event for event in ticket_events if event is not None]
        stored = store.store_events(
            sender=gate_sender.sender, events=[*filed, *events], received_at=now
        )
        outcomes = iter(stored.outcomes)
        own_outcomes = [
            _outcome_without_event(decision) if event is None else next(outcomes)
            for event, decision in zip(ticket_events, decisions, strict=True)
        ]
        _report_doubles(decisions, now)
    return StoredScans(decisions, stored._replace(outcomes=[*own_outcomes, *outcomes]))


def _outcome_without_event(decision: Decision) -> IngestOutcome:
    """Return the outcome of a scan of an unknown code, or of one that is on the log."""
    if decision.state == OTHER_CONTENT:
        return IngestOutcome("other_content", reason="other_content")
    return IngestOutcome("duplicate" if decision.is_repeated else "accepted")


def _scan(raw: RawScan, gate_sender: GateSender) -> Scan:
    document = raw.document
    return Scan(
        key=_key(raw.message_id, gate_sender.sender.source_id),
        code=scans.text_field(document, "code"),
        place=scans.text_field(document, "till"),
        staff=scans.text_field(document, "staff"),
        device=scans.text_field(document, "device"),
        at=raw.at,
        is_offline=raw.metadata is not None,
    )


def _key(message_id: str, source_id: int) -> UUID:
    if not message_id:
        return uuid4()
    text = f"{source_id} {message_id}".encode()
    return UUID(bytes=hashlib.blake2b(text, digest_size=16).digest())


def _event(raw: RawScan, decision: Decision, request_context: RequestContext) -> ParsedEvent | None:
    """Return the event for the log of the customer with the order.

    None for an unknown code, and for a scan that is on the log.
    """
    ticket = decision.ticket
    if (
        decision.is_repeated
        or ticket is None
        or ticket.number is None
        or ticket.customer_id is None
    ):
        return None
    message_id = raw.message_id or f"scan-{uuid4()}"
    try:
        document = scans.ticket_event(
            raw.document, message_id=message_id, decision=decision, number=ticket.number
        )
        if raw.metadata:
            document["_metadata"] = raw.metadata
        event = segment.build_event(document, request_context)
    except limits.READER_ERRORS as error:
        invalid = limits.as_invalid_event(error)
        return RejectedItem(b"{}", invalid.reason, invalid.detail, message_id)
    return _filed_on_order(event, ticket)


def _filed_on_order(event: IncomingEvent, ticket: ScannedTicket) -> IncomingEvent:
    """Return the event about the order that the ticket is for, with an identifier that leads to it."""
    assert ticket.customer_id is not None
    assert ticket.number is not None
    source_id, _, _ = ticket.order_key.partition("/")
    # An order number of several customers finds none of them, so the event needs another identifier.
    if source_id.isdecimal() and sent_number(ticket.order_key) == ticket.order_key:
        identifier = stored_identifier("order", ticket.order_key)
    else:
        params = {"id": ticket.customer_id, "among": []}
        rows = sql.rows("find_routing_identifier", params)
        if not rows:
            return event
        identifier = stored_identifier(*rows[0])
    about = f"order:{sent_number(ticket.number)}"
    return msgspec.structs.replace(event, identifiers=(identifier,), about=about)


def _report_doubles(decisions: Sequence[Decision], now: datetime) -> None:
    """Give staff a task for each ticket that was admitted twice while a till was offline."""
    for decision in decisions:
        ticket = decision.ticket
        if decision.outcome != DOUBLE or ticket is None or ticket.customer_id is None:
            continue
        first = decision.admission
        place = f" at {first.place}" if first and first.place else ""
        staff_tasks.create(
            key=f"double admission {ticket.order_key} {ticket.guest}"[:200],
            kind="ticket",
            customer_id=ticket.customer_id,
            title=f"Ticket of order {ticket.number} was admitted twice",
            body=f"A till that was offline admitted it, too. The first admission was{place}.",
            due_at=now,
        )
