"""What a signed webhook says, written as an event. Pure.

The payload is `{"type", "timestamp", "data"}`, as Standard Webhooks recommends; whom it is
about is looked for in `data`, or in its `customer`.
"""

from typing import Any

from channels.ingest import limits, segment
from channels.ingest.segment import Found, Frame
from customers.types import RejectedItem

_IDENTIFIERS = {
    "userId": "user_id",
    "user_id": "user_id",
    "anonymousId": "anonymous_id",
    "anonymous_id": "anonymous_id",
    "email": "email",
    "phone": "phone",
    "card": "card",
}


def read(raw: bytes, message_id: str, frame: Frame) -> Found:
    """Make an event of a payload, or say why it cannot be one."""
    try:
        given, _ = limits.read_object(raw)
        kind = given.get("type")
        if isinstance(kind, str) and kind in segment.KINDS and "data" not in given:
            event = given | {"messageId": message_id}
        else:
            event = _as_event(given, message_id)
        return segment.write(event, frame)
    except limits.FAULTS as error:
        unfit = limits.as_unfit(error)
        return RejectedItem(raw, unfit.reason, unfit.detail, message_id)


def _as_event(given: dict[str, Any], message_id: str) -> dict[str, Any]:
    data = given.get("data", {})
    properties = data if type(data) is dict else {"data": data}
    event = {
        "type": "track",
        "event": given.get("type"),
        "messageId": message_id,
        "properties": properties,
        "context": {"externalIds": _identifiers(properties)},
    }
    return event | {"timestamp": given["timestamp"]} if "timestamp" in given else event


def _identifiers(properties: dict[str, Any]) -> list[dict[str, Any]]:
    customer = properties.get("customer")
    places = [properties, customer] if type(customer) is dict else [properties]
    return [
        {"type": kind, "id": place[name]}
        for place in places
        for name, kind in _IDENTIFIERS.items()
        if type(place.get(name)) in (str, int)
    ]
