"""What a till or a gate scanned, written as events. Pure."""

from typing import Any

from channels.ingest.limits import InvalidEvent

MAX_TEXT = 128
# What can be scanned or typed in, what that is in the record, and what happened.
SCANNED = (
    ("card", "card", "Card Scanned"),
    ("code", "order", "Ticket Scanned"),
    ("phone", "phone", "Customer Looked Up"),
)


def read_scan(line: dict[str, Any], *, message_id: str) -> dict[str, Any]:
    """Write one scan as an event. Raises InvalidEvent."""
    kind, value, name = scanned(line)
    properties: dict[str, Any] = {
        field: said for field in ("till", "note") if (said := text(line, field))
    }
    context: dict[str, Any] = {}
    if kind == "order":
        properties |= {"code": value, "order_id": value}
    elif kind == "card":
        properties["card"] = value
    else:
        context["externalIds"] = [{"type": kind, "id": value}]
    if staff := text(line, "staff"):
        context["actor"] = f"staff:{staff}"
    return _dated(line, name, message_id, properties, context)


def read_line(line: dict[str, Any], *, device: str) -> dict[str, Any]:
    """Write one line of an offline till as an event. Raises InvalidEvent.

    A line is a scan, or names its event and brings properties of its own.
    """
    line_id = text(line, "id")
    if not line_id:
        raise InvalidEvent("missing_id", "a line has an id that its device gave it")
    message_id = f"{device}:{line_id}"
    if "event" not in line:
        return read_scan(line, message_id=message_id)
    properties = line.get("properties", {})
    if type(properties) is not dict:
        raise InvalidEvent("wrong_type", "properties are an object")
    external = [
        {"type": kind, "id": value}
        for field, kind, _ in SCANNED
        if kind != "order" and (value := text(line, field))
    ]
    if code := text(line, "code"):
        properties = {"order_id": code, **properties}
    context: dict[str, Any] = {"externalIds": external}
    if staff := text(line, "staff"):
        context["actor"] = f"staff:{staff}"
    return _dated(line, line["event"], message_id, properties, context)


def scanned(line: dict[str, Any]) -> tuple[str, str, str]:
    """Say what was scanned: kind and value of the identifier, and the event's name."""
    found = [(kind, value, name) for field, kind, name in SCANNED if (value := text(line, field))]
    if len(found) != 1:
        raise InvalidEvent("wrong_scan", "a scan has one of card, code and phone")
    return found[0]


def _dated(
    line: dict[str, Any],
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
    at = text(line, "at")
    return event | {"timestamp": at} if at else event


def text(line: dict[str, Any], name: str) -> str:
    value = line.get(name)
    if value is None:
        return ""
    if type(value) is int:
        return str(value)
    if type(value) is not str or len(value) > MAX_TEXT:
        raise InvalidEvent("wrong_type", f"{name} is text of at most {MAX_TEXT} characters")
    return value.strip()
