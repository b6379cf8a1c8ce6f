"""Read CloudEvents 1.0 (cloudevents/spec, JSON format and HTTP binding) as events. Pure.

Source and id together identify an event, as in the specification. The subject (`kind:value`) or
an extension attribute such as `userid` identifies the customer.
"""

import base64
from hashlib import blake2b
from typing import Any
from urllib.parse import unquote

import msgspec

from channels.ingest import batches, limits, segment
from channels.ingest.batches import EventBatch
from channels.ingest.identifiers import OWN_KINDS
from channels.ingest.limits import InvalidEvent
from channels.ingest.segment import MAX_MESSAGE_ID, RequestContext
from customers.types import IncomingEvent, RejectedItem

# CloudEvents allows only lower case letters and digits in attribute names, so no underscore.
IDENTIFIER_EXTENSIONS = {
    "userid": "user_id",
    "anonymousid": "anonymous_id",
    "email": "email",
    "phone": "phone",
    "card": "card",
    "device": "device",
}
# Checks the syntax of a JSON text without building its values.
_check_json = msgspec.json.Decoder(msgspec.Raw).decode
REQUIRED_ATTRIBUTES = ("id", "source", "type")


def parse_body(body: bytes) -> EventBatch:
    """Parse a structured event or a batch of them. Raises InvalidBatch or TooManyEvents."""
    if body.lstrip()[:1] == b"[":
        return batches.parse_list(body)
    return batches.parse_single(body)


def structured_from_binary(attributes: dict[str, str], content_type: str, body: bytes) -> bytes:
    """Return a binary-mode event in structured mode."""
    structured = {name: unquote(value) for name, value in attributes.items()}
    if content_type:
        structured["datacontenttype"] = content_type
    if not body:
        return msgspec.json.encode(structured)
    if _is_json_type(content_type) or (not content_type and _is_json(body)):
        # The data keeps its original bytes, which `limits` checks later.
        return msgspec.json.encode(structured)[:-1] + b',"data":' + body + b"}"
    return msgspec.json.encode(structured | {"data_base64": base64.b64encode(body).decode()})


def _is_json(body: bytes) -> bool:
    try:
        return limits.is_nested_safely(body) and bytes(_check_json(body)) != b"null"
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def read_event(raw: bytes, request_context: RequestContext) -> IncomingEvent | RejectedItem:
    """Return the event of a structured CloudEvent, or the reason why it is rejected."""
    try:
        attributes, _ = limits.read_object(raw)
        return segment.build_event(_to_segment(attributes), request_context)
    except limits.READER_ERRORS as error:
        invalid = limits.as_invalid_event(error)
        return RejectedItem(raw, invalid.reason, invalid.detail)


def _to_segment(cloudevent: dict[str, Any]) -> dict[str, Any]:
    if cloudevent.get("specversion") != "1.0":
        raise InvalidEvent("unknown_version", "specversion is not 1.0")
    for name in REQUIRED_ATTRIBUTES:
        if type(cloudevent.get(name)) is not str or not cloudevent[name]:
            raise InvalidEvent("missing_attribute", f"{name} is missing or is not text")
    cloudevent = _with_decoded_data(cloudevent)
    context_attributes = {name: value for name, value in cloudevent.items() if name != "data"}
    payload = cloudevent.get("data", {})
    properties = payload if type(payload) is dict else {"data": payload}
    identifiers = _identifiers(cloudevent, properties)
    event = {
        "type": "track",
        "event": cloudevent["type"],
        "messageId": _message_id(cloudevent["source"], cloudevent["id"]),
        "properties": properties,
        "context": {"externalIds": identifiers, "cloudevent": context_attributes},
    }
    return event | {"timestamp": cloudevent["time"]} if "time" in cloudevent else event


def _with_decoded_data(cloudevent: dict[str, Any]) -> dict[str, Any]:
    """Return the event with its JSON object as `data`, if it has it in base64. Raises InvalidEvent."""
    encoded = cloudevent.get("data_base64")
    if "data" in cloudevent or type(encoded) is not str:
        return cloudevent
    if not _is_json_type(cloudevent.get("datacontenttype")):
        return cloudevent
    try:
        raw = base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise InvalidEvent("malformed", f"data_base64 is not base64: {error}") from None
    if raw.lstrip()[:1] != b"{":
        return cloudevent
    attributes = {name: value for name, value in cloudevent.items() if name != "data_base64"}
    return attributes | {"data": limits.read_object(raw)[0]}


def _is_json_type(content_type: object) -> bool:
    if type(content_type) is not str:
        return False
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")


def _message_id(source: str, event_id: str) -> str:
    # A source without a bar (no URI contains one) makes this id unambiguous.
    message_id = f"{source}|{event_id}"
    if "|" not in source and len(message_id) <= MAX_MESSAGE_ID:
        return message_id
    unambiguous = f"{len(source)}|{message_id}".encode()
    return f"cloudevent-{blake2b(unambiguous, digest_size=20).hexdigest()}"


def _identifiers(attributes: dict[str, Any], properties: dict[str, Any]) -> list[dict[str, Any]]:
    identifiers = [
        {"type": kind, "id": attributes[name]}
        for name, kind in IDENTIFIER_EXTENSIONS.items()
        if attributes.get(name) not in (None, "")
    ]
    subject = attributes.get("subject")
    kind, _, value = subject.partition(":") if type(subject) is str else ("", "", "")
    if kind == "external":
        kind, _, value = value.partition(":")
        identifiers.append({"type": kind, "id": value})
    elif kind == "order" and value:
        properties.setdefault("order_id", value)
    elif kind in OWN_KINDS and value:
        identifiers.append({"type": kind, "id": value})
    return identifiers
