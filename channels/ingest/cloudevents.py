"""CloudEvents 1.0 (cloudevents/spec, JSON format and HTTP binding), read as events. Pure.

Source and id together make an event the same one, as the specification has it. Whom it is
about says the subject, as `kind:value`, or an extension attribute such as `userid`.
"""

import base64
from hashlib import blake2b
from typing import Any
from urllib.parse import unquote

import msgspec

from channels.ingest import envelope, limits, segment
from channels.ingest.envelope import Envelope
from channels.ingest.limits import Unfit
from channels.ingest.segment import MAX_MESSAGE_ID, OWN_KINDS, Frame
from customers.types import IncomingEvent, RejectedItem

# Names of attributes are lower case letters and digits, so ours are spelled without a line.
EXTENSIONS = {
    "userid": "user_id",
    "anonymousid": "anonymous_id",
    "email": "email",
    "phone": "phone",
    "card": "card",
    "device": "device",
}
# Checks a text, and makes nothing of what is in it.
_check = msgspec.json.Decoder(msgspec.Raw).decode
REQUIRED = ("id", "source", "type")


def open_body(body: bytes) -> Envelope:
    """Take a structured event, or a batch of them, apart. Raises NotABatch or TooMany."""
    if body.lstrip()[:1] == b"[":
        return Envelope(envelope.open_list(body))
    return envelope.open_single(body)


def join(attributes: dict[str, str], content_type: str, body: bytes) -> bytes:
    """Write an event that came in binary mode in the structured one."""
    whole = {name: unquote(value) for name, value in attributes.items()}
    if content_type:
        whole["datacontenttype"] = content_type
    if not body:
        return msgspec.json.encode(whole)
    if (
        content_type == "application/json"
        or content_type.endswith("+json")
        or (not content_type and _is_json(body))
    ):
        # The data stays as it came, for the limits to judge.
        return msgspec.json.encode(whole)[:-1] + b',"data":' + body + b"}"
    return msgspec.json.encode(whole | {"data_base64": base64.b64encode(body).decode()})


def _is_json(body: bytes) -> bool:
    try:
        return limits.is_nested_safely(body) and bytes(_check(body)) != b"null"
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def read(raw: bytes, frame: Frame) -> IncomingEvent | RejectedItem:
    """Make an event of a structured CloudEvent, or say why it cannot be one."""
    try:
        given, _ = limits.read_object(raw)
        return segment.write(_as_event(given), frame)
    except limits.FAULTS as error:
        unfit = limits.as_unfit(error)
        return RejectedItem(raw, unfit.reason, unfit.detail)


def _as_event(given: dict[str, Any]) -> dict[str, Any]:
    if given.get("specversion") != "1.0":
        raise Unfit("unknown_version", "specversion is not 1.0")
    for name in REQUIRED:
        if type(given.get(name)) is not str or not given[name]:
            raise Unfit("missing_attribute", f"{name} is missing, or not text")
    attributes = {name: value for name, value in given.items() if name != "data"}
    data = given.get("data", {})
    properties = data if type(data) is dict else {"data": data}
    external = _identifiers(given, properties)
    event = {
        "type": "track",
        "event": given["type"],
        "messageId": _message_id(given["source"], given["id"]),
        "properties": properties,
        "context": {"externalIds": external, "cloudevent": attributes},
    }
    return event | {"timestamp": given["time"]} if "time" in given else event


def _message_id(source: str, name: str) -> str:
    # Where the source holds no bar, as no URI does, this cannot be read in two ways.
    message_id = f"{source}|{name}"
    if "|" not in source and len(message_id) <= MAX_MESSAGE_ID:
        return message_id
    whole = f"{len(source)}|{message_id}".encode()
    return f"cloudevent-{blake2b(whole, digest_size=20).hexdigest()}"


def _identifiers(given: dict[str, Any], properties: dict[str, Any]) -> list[dict[str, Any]]:
    found = [
        {"type": kind, "id": given[name]}
        for name, kind in EXTENSIONS.items()
        if given.get(name) not in (None, "")
    ]
    subject = given.get("subject")
    kind, _, value = subject.partition(":") if type(subject) is str else ("", "", "")
    if kind == "external":
        kind, _, value = value.partition(":")
        found.append({"type": kind, "id": value})
    elif kind == "order" and value:
        properties.setdefault("order_id", value)
    elif kind in OWN_KINDS and value:
        found.append({"type": kind, "id": value})
    return found
