"""Convert scans of tills and gates to events. Pure."""

from collections.abc import Mapping
from typing import Any

from channels.ingest import limits
from channels.ingest.limits import InvalidEvent

MAX_TEXT = 128
# The fields of a scan, with the kind of identifier and the name of the event for each.
SCAN_FIELDS = (
    ("card", "card", "Card Scanned"),
    ("code", "order", "Ticket Scanned"),
    ("phone", "phone", "Customer Looked Up"),
)


def scan_event(scan: dict[str, Any], *, message_id: str) -> dict[str, Any]:
    """Return the event document of one scan. Raises InvalidEvent."""
    kind, value, name = scanned_identifier(scan)
    properties: dict[str, Any] = {
        field: text for field in ("till", "note") if (text := text_field(scan, field))
    }
    context: dict[str, Any] = {}
    if kind == "order":
        properties |= {"code": value, "order_id": value}
    elif kind == "card":
        properties["card"] = value
    else:
        context["externalIds"] = [{"type": kind, "id": value}]
    if staff := text_field(scan, "staff"):
        context["actor"] = f"staff:{staff}"
    return _track_event(scan, name, message_id, properties, context)


def till_scan_event(scan: dict[str, Any], *, device: str) -> dict[str, Any]:
    """Return the event document of one scan of an offline till. Raises InvalidEvent.

    The scan has one scanned identifier, or the name and the properties of an event.
    """
    scan_id = text_field(scan, "id")
    if not scan_id:
        raise InvalidEvent("missing_id", "a line needs the id that its device gave it")
    message_id = f"{device}:{scan_id}"
    if "event" not in scan:
        return scan_event(scan, message_id=message_id)
    properties = scan.get("properties", {})
    if type(properties) is not dict:
        raise InvalidEvent("wrong_type", "the properties are not an object")
    if code := text_field(scan, "code"):
        properties = {"order_id": code, **properties}
    return _track_event(scan, scan["event"], message_id, properties, _line_context(scan))


def _line_context(scan: dict[str, Any]) -> dict[str, Any]:
    """Return the customer's identifiers and the staff member of a line."""
    identifiers = [
        {"type": kind, "id": value}
        for field, kind, _ in SCAN_FIELDS
        if kind != "order" and (value := text_field(scan, field))
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
        raise InvalidEvent("wrong_scan", "a scan must have exactly one of card, code and phone")
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
