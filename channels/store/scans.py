"""Convert scans of tills and gates to events. Pure."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from channels.ingest import limits
from channels.ingest.limits import InvalidEvent
from customers.tickets.states import Decision

MAX_TEXT = 128
# The fields of a scan, with the kind of identifier and the name of the event for each.
SCAN_FIELDS = (
    ("card", "card", "Card Scanned"),
    ("code", "code", "Ticket Scanned"),
    ("order", "order", "Order Looked Up"),
    ("phone", "phone", "Customer Looked Up"),
)
# The event of a scanned ticket, by the outcome of the scan.
_TICKET_EVENTS = {
    "admitted": "Ticket Scanned",
    "reentered": "Ticket Scanned Again",
    "double": "Ticket Admitted Twice",
    "refused": "Ticket Refused",
}
_CODE = re.compile(rb'"code"\s*:\s*"(?:[^"\\]|\\.)*"')


class RawScan(NamedTuple):
    """A scan of a ticket code as its device sent it, with the id of its message, and its time."""

    document: dict[str, Any]
    message_id: str
    at: datetime
    # The device and the number of its batch, for a scan of an offline till.
    metadata: dict[str, Any] | None = None


def scan_event(scan: dict[str, Any], *, message_id: str) -> dict[str, Any]:
    """Return the event document of one scan of a card, an order or a phone. Raises InvalidEvent."""
    kind, value, name = scanned_identifier(scan)
    properties: dict[str, Any] = {
        field: text for field in ("till", "note") if (text := text_field(scan, field))
    }
    context: dict[str, Any] = {}
    if kind == "order":
        properties["order_id"] = value
    elif kind == "card":
        properties["card"] = value
    else:
        context["externalIds"] = [{"type": kind, "id": value}]
    if staff := text_field(scan, "staff"):
        context["actor"] = f"staff:{staff}"
    return _track_event(scan, name, message_id, properties, context)


def ticket_event(
    scan: dict[str, Any], *, message_id: str, decision: Decision, number: str
) -> dict[str, Any]:
    """Return the event document of a scanned ticket, without its code. Raises InvalidEvent."""
    properties: dict[str, Any] = {
        field: text for field in ("till", "note") if (text := text_field(scan, field))
    }
    properties |= {"order_id": number, "state": decision.state}
    if decision.ticket and decision.ticket.guest:
        properties["guest"] = decision.ticket.guest
    context: dict[str, Any] = {}
    if staff := text_field(scan, "staff"):
        context["actor"] = f"staff:{staff}"
    name = _TICKET_EVENTS[decision.outcome]
    return _track_event(scan, name, message_id, properties, context)


def without_code(raw: bytes) -> bytes:
    """Return the raw text of a scan without the code of its ticket."""
    return _CODE.sub(b'"code":"(secret)"', raw)


def till_scan_event(scan: dict[str, Any], *, device: str) -> dict[str, Any]:
    """Return the event document of one scan of an offline till. Raises InvalidEvent.

    The scan has one scanned identifier, or the name and the properties of an event.
    """
    message_id = line_message_id(scan, device)
    if "event" not in scan:
        return scan_event(scan, message_id=message_id)
    properties = scan.get("properties", {})
    if type(properties) is not dict:
        raise InvalidEvent("wrong_type", "the properties are not an object")
    if number := text_field(scan, "order"):
        properties = {"order_id": number, **properties}
    return _track_event(scan, scan["event"], message_id, properties, _line_context(scan))


def line_message_id(scan: dict[str, Any], device: str) -> str:
    """Return the message id of a line of an offline till. Raises InvalidEvent."""
    scan_id = text_field(scan, "id")
    if not scan_id:
        raise InvalidEvent("missing_id", "a line needs the id that its device gave it")
    return f"{device}:{scan_id}"


def _line_context(scan: dict[str, Any]) -> dict[str, Any]:
    """Return the customer's identifiers and the staff member of a line."""
    identifiers = [
        {"type": kind, "id": value}
        for field, kind, _ in SCAN_FIELDS
        if kind not in ("order", "code") and (value := text_field(scan, field))
    ]
    context: dict[str, Any] = {"externalIds": identifiers}
    if staff := text_field(scan, "staff"):
        context["actor"] = f"staff:{staff}"
    return context


def scanned_identifier(scan: dict[str, Any]) -> tuple[str, str, str]:
    """Return the kind and value of the scanned identifier, and the name of the event."""
    identifiers = [
        (kind, value, name)
        for field, kind, name in SCAN_FIELDS
        if (value := text_field(scan, field))
    ]
    if len(identifiers) != 1:
        raise InvalidEvent(
            "wrong_scan", "a scan must have exactly one of card, code, order and phone"
        )
    return identifiers[0]


def _track_event(
    scan: dict[str, Any],
    name: Any,
    message_id: str,
    properties: dict[str, Any],
    context: dict[str, Any],
) -> dict[str, Any]:
    event = {
        "type": "track",
        "event": name,
        "messageId": message_id,
        "properties": properties,
        "context": context,
    }
    timestamp = text_field(scan, "at")
    return event | {"timestamp": timestamp} if timestamp else event


def text_field(scan: Mapping[str, Any], name: str) -> str:
    """Return a field of at most 128 characters as text, empty without it. Raises InvalidEvent."""
    return limits.text_field(scan, name, max_length=MAX_TEXT)
