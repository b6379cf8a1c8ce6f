"""Read one event in the shape that Segment's and RudderStack's clients send. Pure.

Every other way in (phone, store, CloudEvents, webhooks) is written down in this shape too:
one reader for the log, and one for what is taken out of quarantine later.
"""

import re
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from channels.ingest import clock, limits
from channels.ingest.limits import InvalidEvent
from customers.types import IncomingEvent, RejectedItem

KINDS = frozenset({"track", "identify", "page", "screen", "group", "alias"})
MAX_MESSAGE_ID = 100
MAX_NAME = 255
MAX_VALUE = 512
MAX_REFERENCE = 128
MAX_TRAITS = 512
# Each of them may be somebody's, and all of them have to be looked up and linked.
MAX_IDENTIFIERS = 32

# What `context.externalIds` may call the identifiers that have a kind of their own.
OWN_KINDS = frozenset({"user_id", "anonymous_id", "email", "phone", "card", "device"})
# What an event is about, by the property that says so; the first one found counts.
SUBJECT_PROPERTIES = (
    ("order", ("order_id", "orderId")),
    ("call", ("call_id", "callId")),
    ("visit", ("visit_id", "visitId")),
    ("chat", ("chat_id", "chatId")),
)
# "Party Member Changed" and "… Removed" name the member by its reference.
MEMBER_PROPERTIES = (("member", ("reference",)),)

_MESSAGE_ID = re.compile(rb'"messageId"\s*:\s*"([^"\\]{1,100})"')
_INVALID_IN_KIND = re.compile(r"[^a-z0-9_.-]")
_encode = msgspec.json.encode

type ParsedEvent = IncomingEvent | RejectedItem


class RequestContext(NamedTuple):
    """What holds for every event of one request."""

    received_at: datetime
    clock_error: timedelta = clock.ZERO
    is_trusted: bool = False
    # The route names the kind of a single event; in a batch each item does.
    kind: str = ""
    context: dict[str, Any] | None = None
    integrations: dict[str, Any] | None = None


def read_event(raw: bytes, request_context: RequestContext) -> IncomingEvent | RejectedItem:
    """Return the event that a client sent, or the rejected item with its reason."""
    try:
        document, digest = limits.read_object(raw)
        body = raw
        if _apply_request_context(document, request_context):
            digest, body = limits.digest(document), _encode(document)
        return event_from_object(document, digest, body, request_context)
    except limits.READER_ERRORS as error:
        invalid = limits.as_invalid_event(error)
        match = _MESSAGE_ID.search(raw)
        message_id = match[1].decode(errors="replace") if match else ""
        return RejectedItem(raw, invalid.reason, invalid.detail, message_id)


def build_event(document: dict[str, Any], request_context: RequestContext) -> IncomingEvent:
    """Return the event of a document that another channel wrote. Raises InvalidEvent."""
    body = _encode(document)
    return event_from_object(*limits.read_object(body), body, request_context)


def build_or_reject(document: dict[str, Any], request_context: RequestContext) -> ParsedEvent:
    """Do the same as `build_event`, but return a rejected item instead of raising."""
    try:
        return build_event(document, request_context)
    except limits.READER_ERRORS as error:
        invalid = limits.as_invalid_event(error)
        return RejectedItem(
            _encode(document), invalid.reason, invalid.detail, str(document.get("messageId", ""))
        )


def event_from_object(
    document: dict[str, Any], digest: bytes, body: bytes, request_context: RequestContext
) -> IncomingEvent:
    """Make an event of a decoded object. Raises InvalidEvent."""
    kind = document["type"]
    if type(kind) is not str or kind not in KINDS:
        raise InvalidEvent("unknown_type", f"{kind!r:.60} is none of {', '.join(sorted(KINDS))}")
    context = document.get("context")
    if type(context) is not dict:
        context = {}
    identifiers = _identifiers(kind, document, context)
    about = ""
    if kind == "track":
        about = _about(document, identifiers)
    if not identifiers:
        raise InvalidEvent(
            "missing_ids", "neither userId nor anonymousId, nor any other identifier"
        )
    if len(identifiers) > MAX_IDENTIFIERS:
        raise InvalidEvent("too_many_identifiers", f"{len(identifiers)} identifiers")
    return IncomingEvent(
        message_id=_message_id(document, digest),
        kind=kind,
        name=_name(kind, document),
        identifiers=tuple(dict.fromkeys(identifiers)),
        occurred_at=_occurred_at(document, context, request_context),
        body=body,
        body_hash=digest,
        traits=_traits(document) if kind == "identify" else None,
        about=about,
        actor=_actor(context) if request_context.is_trusted else "",
    )


def _apply_request_context(document: dict[str, Any], request_context: RequestContext) -> bool:
    """Write the fields of the request into its event; return whether that changed it."""
    is_changed = False
    kind = request_context.kind or document.get("type")
    if document.get("type") != kind or "type" not in document:
        document["type"], is_changed = kind, True
    # A key is no part of what happened, and everybody who may see the event would see it.
    if "writeKey" in document:
        del document["writeKey"]
        is_changed = True
    for name, shared in (
        ("context", request_context.context),
        ("integrations", request_context.integrations),
    ):
        if shared:
            own = document.get(name)
            document[name] = {**shared, **own} if type(own) is dict else shared
            is_changed = True
    return is_changed


def _message_id(document: dict[str, Any], digest: bytes) -> str:
    stated_id = document.get("messageId")
    if stated_id is None or stated_id == "":
        # Without an id of its own a repeated event is the same one if it states its time.
        has_time = "timestamp" in document or "originalTimestamp" in document
        return f"digest-{digest.hex()}" if has_time else ""
    message_id = _text(stated_id, "messageId")
    if len(message_id) > MAX_MESSAGE_ID:
        raise InvalidEvent("message_id_too_long", f"{len(message_id)} characters")
    return message_id


def _name(kind: str, document: dict[str, Any]) -> str:
    name = document.get("event" if kind == "track" else "name")
    if kind == "track":
        if name is None or name == "":
            raise InvalidEvent("missing_name", "a track event names what happened in `event`")
    elif kind not in ("page", "screen") or name is None:
        return ""
    if type(name) is not str:
        raise InvalidEvent("wrong_type", "the name is not text")
    if len(name) > MAX_NAME:
        raise InvalidEvent("name_too_long", f"{len(name)} characters")
    return name


def _identifiers(
    kind: str, document: dict[str, Any], context: dict[str, Any]
) -> list[tuple[str, str]]:
    identifiers: list[tuple[str, str]] = []
    _add_strict(identifiers, "user_id", document.get("userId"), "userId")
    _add_strict(identifiers, "anonymous_id", document.get("anonymousId"), "anonymousId")
    if kind == "alias":
        _add_strict(identifiers, "anonymous_id", document.get("previousId"), "previousId")
    if context:
        device = context.get("device")
        if type(device) is dict:
            _add_lenient(identifiers, "device", device.get("id"))
        _add_from_traits(identifiers, context.get("traits"))
        external = context.get("externalIds")
        if type(external) is list:
            _add_external(identifiers, external)
    if kind == "identify":
        _add_from_traits(identifiers, document.get("traits"))
    elif kind == "track":
        properties = document.get("properties")
        if type(properties) is dict and "card" in properties:
            _add_lenient(identifiers, "card", properties["card"])
    return identifiers


def _add_strict(identifiers: list[tuple[str, str]], kind: str, value: Any, field: str) -> None:
    if value is None or value == "":
        return
    text = _text(value, field)
    if len(text) > MAX_VALUE:
        raise InvalidEvent("id_too_long", f"{field} has {len(text)} characters")
    identifiers.append((kind, text))


def _add_lenient(identifiers: list[tuple[str, str]], kind: str, value: Any) -> None:
    """Add a value that is also an ordinary fact, and may be anything."""
    if type(value) is int:
        value = str(value)
    if type(value) is str and 0 < len(value) <= MAX_VALUE:
        identifiers.append((kind, value))


def _add_from_traits(identifiers: list[tuple[str, str]], traits: Any) -> None:
    if type(traits) is dict:
        for kind in ("email", "phone", "card"):
            if kind in traits:
                _add_lenient(identifiers, kind, traits[kind])


def _add_external(identifiers: list[tuple[str, str]], external: list[Any]) -> None:
    for entry in external:
        if type(entry) is not dict or type(entry.get("type")) is not str:
            raise InvalidEvent("wrong_type", "externalIds are objects with id and type")
        kind = _INVALID_IN_KIND.sub("_", entry["type"].strip().lower())
        if not 0 < len(kind) <= 50:
            raise InvalidEvent("wrong_type", "the type of an external id is 1 to 50 characters")
        kind = kind if kind in OWN_KINDS else f"external:{kind}"
        _add_strict(identifiers, kind, entry.get("id"), "externalIds")


def _about(document: dict[str, Any], identifiers: list[tuple[str, str]]) -> str:
    properties, event = document.get("properties"), document.get("event")
    if type(properties) is not dict:
        return ""
    is_member = type(event) is str and event.startswith("Party Member ")
    for subject_kind, names in MEMBER_PROPERTIES if is_member else SUBJECT_PROPERTIES:
        for name in names:
            reference = properties.get(name)
            if reference is None or reference == "":
                continue
            text = _text(reference, name).strip()
            if len(text) > MAX_REFERENCE:
                raise InvalidEvent("id_too_long", f"{name} has {len(text)} characters")
            if not text:
                continue
            if subject_kind == "order":
                identifiers.append(("order", text))
            return f"{subject_kind}:{text}"
    return ""


def _text(value: Any, field: str) -> str:
    """Give an id as text; clients send numbers too."""
    if type(value) is str:
        return value
    if type(value) is int:
        return str(value)
    if type(value) is float:
        return str(int(value)) if value.is_integer() else repr(value)
    raise InvalidEvent("wrong_type", f"{field} is neither text nor a number")


def _traits(document: dict[str, Any]) -> dict[str, object]:
    traits = document.get("traits")
    if traits is None:
        return {}
    if type(traits) is not dict:
        raise InvalidEvent("wrong_type", "traits are an object")
    if len(traits) > MAX_TRAITS:
        raise InvalidEvent("too_many_traits", f"{len(traits)} traits")
    return traits


def _occurred_at(
    document: dict[str, Any], context: dict[str, Any], request_context: RequestContext
) -> datetime:
    stated_time = clock.parse_time(document.get("timestamp") or document.get("originalTimestamp"))
    library = context.get("library")
    is_stamped_once = type(library) is dict and library.get("name") in _STAMP_ONCE_LIBRARIES
    return clock.corrected_time(
        stated_time,
        request_context.received_at,
        request_context.clock_error,
        is_stamped_once=is_stamped_once,
    )


_STAMP_ONCE_LIBRARIES = list(
    clock.STAMP_ONCE_LIBRARIES
)  # a list: the name may be anything, even unhashable


def _actor(context: dict[str, Any]) -> str:
    actor = context.get("actor")
    return actor if type(actor) is str and len(actor) <= MAX_REFERENCE else ""
