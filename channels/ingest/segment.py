"""Read one event in the shape that Segment's and RudderStack's clients send. Pure.

Every other way in (phone, store, CloudEvents, webhooks) is written down in this shape too:
one reader for the log, and one for what is taken out of quarantine later.
"""

import re
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from channels.ingest import clock, limits
from channels.ingest.limits import Unfit
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
ABOUT = (
    ("order", ("order_id", "orderId")),
    ("call", ("call_id", "callId")),
    ("visit", ("visit_id", "visitId")),
    ("chat", ("chat_id", "chatId")),
)
# "Party Member Changed" and "… Removed" name the member by its reference.
ABOUT_MEMBER = (("member", ("reference",)),)

_MESSAGE_ID = re.compile(rb'"messageId"\s*:\s*"([^"\\]{1,100})"')
_NOT_IN_KIND = re.compile(r"[^a-z0-9_.-]")
_encode = msgspec.json.encode

type Found = IncomingEvent | RejectedItem


class Frame(NamedTuple):
    """What holds for every item of one request."""

    received_at: datetime
    error: timedelta = clock.NONE
    is_trusted: bool = False
    # The route names the kind of a single event; in a batch each item does.
    kind: str = ""
    context: dict[str, Any] | None = None
    integrations: dict[str, Any] | None = None


def read(raw: bytes, frame: Frame) -> IncomingEvent | RejectedItem:
    """Make an event of what a client sent, or say why it cannot be one."""
    try:
        data, digest = limits.read_object(raw)
        body = raw
        if _complete(data, frame):
            digest, body = limits.digest(data), _encode(data)
        return build(data, digest, body, frame)
    except limits.FAULTS as error:
        unfit = limits.as_unfit(error)
        found = _MESSAGE_ID.search(raw)
        message_id = found[1].decode(errors="replace") if found else ""
        return RejectedItem(raw, unfit.reason, unfit.detail, message_id)


def write(data: dict[str, Any], frame: Frame) -> IncomingEvent:
    """Make an event of what another way in has put into this shape. Raises Unfit."""
    body = _encode(data)
    return build(*limits.read_object(body), body, frame)


def keep(data: dict[str, Any], frame: Frame) -> Found:
    """Do the same, or give what is to be kept apart, with the reason."""
    try:
        return write(data, frame)
    except limits.FAULTS as error:
        unfit = limits.as_unfit(error)
        return RejectedItem(
            _encode(data), unfit.reason, unfit.detail, str(data.get("messageId", ""))
        )


def build(data: dict[str, Any], digest: bytes, body: bytes, frame: Frame) -> IncomingEvent:
    """Make an event of a decoded object. Raises Unfit."""
    kind = data["type"]
    if type(kind) is not str or kind not in KINDS:
        raise Unfit("unknown_type", f"{kind!r:.60} is none of {', '.join(sorted(KINDS))}")
    context = data.get("context")
    if type(context) is not dict:
        context = {}
    identifiers = _identifiers(kind, data, context)
    about = ""
    if kind == "track":
        about = _about(data, identifiers)
    if not identifiers:
        raise Unfit("missing_ids", "neither userId nor anonymousId, nor any other identifier")
    if len(identifiers) > MAX_IDENTIFIERS:
        raise Unfit("too_many_identifiers", f"{len(identifiers)} identifiers")
    return IncomingEvent(
        message_id=_message_id(data, digest),
        kind=kind,
        name=_name(kind, data),
        identifiers=tuple(dict.fromkeys(identifiers)),
        occurred_at=_occurred_at(data, context, frame),
        body=body,
        body_hash=digest,
        traits=_traits(data) if kind == "identify" else None,
        about=about,
        actor=_actor(context) if frame.is_trusted else "",
    )


def _complete(data: dict[str, Any], frame: Frame) -> bool:
    """Write what the request says of the item into it; tell whether that changed it."""
    changed = False
    kind = frame.kind or data.get("type")
    if data.get("type") != kind or "type" not in data:
        data["type"], changed = kind, True
    # A key is no part of what happened, and everybody who may see the event would see it.
    if "writeKey" in data:
        del data["writeKey"]
        changed = True
    for name, common in (("context", frame.context), ("integrations", frame.integrations)):
        if common:
            own = data.get(name)
            data[name] = {**common, **own} if type(own) is dict else common
            changed = True
    return changed


def _message_id(data: dict[str, Any], digest: bytes) -> str:
    given = data.get("messageId")
    if given is None or given == "":
        # Without an id of its own a repeated event is the same one if it states its time.
        stated = "timestamp" in data or "originalTimestamp" in data
        return f"digest-{digest.hex()}" if stated else ""
    message_id = _text(given, "messageId")
    if len(message_id) > MAX_MESSAGE_ID:
        raise Unfit("message_id_too_long", f"{len(message_id)} characters")
    return message_id


def _name(kind: str, data: dict[str, Any]) -> str:
    name = data.get("event" if kind == "track" else "name")
    if kind == "track":
        if name is None or name == "":
            raise Unfit("missing_name", "a track event names what happened in `event`")
    elif kind not in ("page", "screen") or name is None:
        return ""
    if type(name) is not str:
        raise Unfit("wrong_type", "the name is not text")
    if len(name) > MAX_NAME:
        raise Unfit("name_too_long", f"{len(name)} characters")
    return name


def _identifiers(kind: str, data: dict[str, Any], context: dict[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    _add(found, "user_id", data.get("userId"), "userId")
    _add(found, "anonymous_id", data.get("anonymousId"), "anonymousId")
    if kind == "alias":
        _add(found, "anonymous_id", data.get("previousId"), "previousId")
    if context:
        device = context.get("device")
        if type(device) is dict:
            _add_lenient(found, "device", device.get("id"))
        _add_from(found, context.get("traits"))
        external = context.get("externalIds")
        if type(external) is list:
            _add_external(found, external)
    if kind == "identify":
        _add_from(found, data.get("traits"))
    elif kind == "track":
        properties = data.get("properties")
        if type(properties) is dict and "card" in properties:
            _add_lenient(found, "card", properties["card"])
    return found


def _add(found: list[tuple[str, str]], kind: str, value: Any, field: str) -> None:
    if value is None or value == "":
        return
    text = _text(value, field)
    if len(text) > MAX_VALUE:
        raise Unfit("id_too_long", f"{field} has {len(text)} characters")
    found.append((kind, text))


def _add_lenient(found: list[tuple[str, str]], kind: str, value: Any) -> None:
    """Add a value that is also an ordinary fact, and may be anything."""
    if type(value) is int:
        value = str(value)
    if type(value) is str and 0 < len(value) <= MAX_VALUE:
        found.append((kind, value))


def _add_from(found: list[tuple[str, str]], traits: Any) -> None:
    if type(traits) is dict:
        for kind in ("email", "phone", "card"):
            if kind in traits:
                _add_lenient(found, kind, traits[kind])


def _add_external(found: list[tuple[str, str]], external: list[Any]) -> None:
    for entry in external:
        if type(entry) is not dict or type(entry.get("type")) is not str:
            raise Unfit("wrong_type", "externalIds are objects with id and type")
        kind = _NOT_IN_KIND.sub("_", entry["type"].strip().lower())
        if not 0 < len(kind) <= 50:
            raise Unfit("wrong_type", "the type of an external id is 1 to 50 characters")
        kind = kind if kind in OWN_KINDS else f"external:{kind}"
        _add(found, kind, entry.get("id"), "externalIds")


def _about(data: dict[str, Any], found: list[tuple[str, str]]) -> str:
    properties, event = data.get("properties"), data.get("event")
    if type(properties) is not dict:
        return ""
    is_member = type(event) is str and event.startswith("Party Member ")
    for thing, names in ABOUT_MEMBER if is_member else ABOUT:
        for name in names:
            reference = properties.get(name)
            if reference is None or reference == "":
                continue
            text = _text(reference, name)
            if len(text) > MAX_REFERENCE:
                raise Unfit("id_too_long", f"{name} has {len(text)} characters")
            if thing == "order":
                found.append(("order", text))
            return f"{thing}:{text}"
    return ""


def _text(value: Any, field: str) -> str:
    """Give an id as text; clients send numbers too."""
    if type(value) is str:
        return value
    if type(value) is int:
        return str(value)
    if type(value) is float:
        return str(int(value)) if value.is_integer() else repr(value)
    raise Unfit("wrong_type", f"{field} is neither text nor a number")


def _traits(data: dict[str, Any]) -> dict[str, object]:
    traits = data.get("traits")
    if traits is None:
        return {}
    if type(traits) is not dict:
        raise Unfit("wrong_type", "traits are an object")
    if len(traits) > MAX_TRAITS:
        raise Unfit("too_many_traits", f"{len(traits)} traits")
    return traits


def _occurred_at(data: dict[str, Any], context: dict[str, Any], frame: Frame) -> datetime:
    stated = clock.parse(data.get("timestamp") or data.get("originalTimestamp"))
    library = context.get("library")
    stamps_once = type(library) is dict and library.get("name") in _STAMPS_ONCE
    return clock.correct(stated, frame.received_at, frame.error, stamps_once=stamps_once)


_STAMPS_ONCE = list(clock.STAMPS_ONCE)  # a list: the name may be anything, even unhashable


def _actor(context: dict[str, Any]) -> str:
    actor = context.get("actor")
    return actor if type(actor) is str and len(actor) <= MAX_REFERENCE else ""
