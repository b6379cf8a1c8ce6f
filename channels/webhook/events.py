"""Convert the payload of a signed webhook to an event. Pure.

The payload is `{"type", "timestamp", "data"}`, as Standard Webhooks recommends. The identifiers of
the customer are in `data`, or in its `customer`.
"""

from typing import Any

from channels.ingest import limits, segment
from channels.ingest.segment import ParsedEvent, RequestContext
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


def read_event(raw: bytes, message_id: str, request_context: RequestContext) -> ParsedEvent:
    """Return the event of a payload, or the rejected item with its reason."""
    try:
        payload, _ = limits.read_object(raw)
        kind = payload.get("type")
        if isinstance(kind, str) and kind in segment.KINDS and "data" not in payload:
            event = payload | {"messageId": message_id}
        else:
            event = _to_segment(payload, message_id)
        return segment.build_event(event, request_context)
    except limits.READER_ERRORS as error:
        invalid = limits.as_invalid_event(error)
        return RejectedItem(raw, invalid.reason, invalid.detail, message_id)


def _to_segment(payload: dict[str, Any], message_id: str) -> dict[str, Any]:
    payload_data = payload.get("data", {})
    properties = payload_data if type(payload_data) is dict else {"data": payload_data}
    event = {
        "type": "track",
        "event": payload.get("type"),
        "messageId": message_id,
        "properties": properties,
        "context": {"externalIds": _identifiers(properties)},
    }
    return event | {"timestamp": payload["timestamp"]} if "timestamp" in payload else event


def _identifiers(properties: dict[str, Any]) -> list[dict[str, Any]]:
    customer = properties.get("customer")
    objects = [properties, customer] if type(customer) is dict else [properties]
    return [
        {"type": kind, "id": place[name]}
        for place in objects
        for name, kind in _IDENTIFIERS.items()
        if type(place.get(name)) in (str, int)
    ]
