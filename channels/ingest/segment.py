"""Read one event in the format of Segment's and RudderStack's clients. Pure.

The other inputs (phone, store, CloudEvents, webhooks) convert their events to this format too, so
the log and the replay of the quarantine each need only one reader.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import Any, NamedTuple

import msgspec

from channels.ingest import clock, limits
from channels.ingest.identifiers import MAX_REFERENCE, id_text, read_identifiers
from channels.ingest.limits import InvalidEvent
from customers.projections.doubts import find_doubts
from customers.projections.event_names import canonical_name
from customers.tickets import stated_codes
from customers.types import IncomingEvent, RejectedItem
from customers.values import times

KINDS = frozenset({"track", "identify", "page", "screen", "group", "alias"})
MAX_MESSAGE_ID = 100
MAX_NAME = 255
MAX_TRAITS = 512
IDENTITY_TOKEN = "identityToken"

_MESSAGE_ID = re.compile(rb'"messageId"\s*:\s*"([^"\\]{1,100})"')
_encode = msgspec.json.encode

type ParsedEvent = IncomingEvent | RejectedItem


class TokenCustomer(NamedTuple):
    """The customer for whom an event speaks: the kind and the stored value of an identifier.

    If a customer token proves nothing, `fault` is the code of the warning.
    """

    identifier: tuple[str, str] | None = None
    fault: str = ""


NOBODY = TokenCustomer()


def find_nobody(identity_token: object) -> TokenCustomer:
    """Return nobody: the sender needs no customer token."""
    return NOBODY


class RequestContext(NamedTuple):
    """The values that all events of one request share."""

    received_at: datetime
    clock_error: timedelta = clock.ZERO
    is_trusted: bool = False
    # The zone of times without an offset, if the sender has local times.
    local_zone: tzinfo | None = None
    # The kind of a single event, from the route; empty in a batch, where each item has its kind.
    kind: str = ""
    context: dict[str, Any] | None = None
    integrations: dict[str, Any] | None = None
    # Finds the customer by the identity token of an event, or None; see customer_tokens.
    find_customer: Callable[[object], TokenCustomer] = find_nobody


def read_event(raw: bytes, request_context: RequestContext) -> IncomingEvent | RejectedItem:
    """Return the event that a client sent, or the rejected item with its reason."""
    try:
        document, digest = limits.read_object(raw)
        body = raw
        is_changed = _apply_request_context(document, request_context)
        token = _remove_identity_token(document)
        ticket_codes = stated_codes.hide_codes(document) if _may_have_codes(raw) else None
        if is_changed or token is not None or ticket_codes is not None:
            digest, body = limits.digest(document), _encode(document)
        event = event_from_object(document, digest, body, request_context, token)
        return _with_ticket_codes(event, ticket_codes or (), request_context)
    except limits.READER_ERRORS as error:
        invalid = limits.as_invalid_event(error)
        match = _MESSAGE_ID.search(raw)
        message_id = match[1].decode(errors="replace") if match else ""
        return RejectedItem(raw, invalid.reason, invalid.detail, message_id)


def build_event(document: dict[str, Any], request_context: RequestContext) -> IncomingEvent:
    """Return the event of a document that another channel wrote. Raises InvalidEvent."""
    token = _remove_identity_token(document)
    body = _encode(document)
    ticket_codes: tuple[tuple[str, str], ...] = ()
    if _may_have_codes(body):
        # The document of the caller stays as it is.
        document = limits.read_object(body)[0]
        ticket_codes = stated_codes.hide_codes(document)
        body = _encode(document)
    event = event_from_object(*limits.read_object(body), body, request_context, token)
    return _with_ticket_codes(event, ticket_codes, request_context)


_may_have_codes = stated_codes.may_have_codes


def _with_ticket_codes(
    event: IncomingEvent, ticket_codes: tuple[tuple[str, str], ...], context: RequestContext
) -> IncomingEvent:
    """Return the event with its ticket codes, if the sender has a secret key."""
    if not ticket_codes or not context.is_trusted or not event.about.startswith("order:"):
        return event
    return msgspec.structs.replace(event, ticket_codes=ticket_codes)


def build_or_reject(document: dict[str, Any], request_context: RequestContext) -> ParsedEvent:
    """Return the event as `build_event` does, or a rejected item instead of an exception."""
    try:
        return build_event(document, request_context)
    except limits.READER_ERRORS as error:
        invalid = limits.as_invalid_event(error)
        return RejectedItem(
            _encode(document), invalid.reason, invalid.detail, str(document.get("messageId", ""))
        )


def event_from_object(
    document: dict[str, Any],
    digest: bytes,
    body: bytes,
    request_context: RequestContext,
    identity_token: object = None,
) -> IncomingEvent:
    """Return the event of a decoded object without its identity token. Raises InvalidEvent."""
    kind = document["type"]
    if type(kind) is not str or kind not in KINDS:
        kinds = ", ".join(sorted(KINDS))
        raise InvalidEvent("unknown_type", f"the type {kind!r:.60} is not one of {kinds}")
    context = document.get("context")
    if type(context) is not dict:
        context = {}
    customer = request_context.find_customer(identity_token)
    is_proved = customer.identifier is not None
    spelled_name = _spelled_name(kind, document)
    identifiers, about = read_identifiers(
        kind, spelled_name, document, context, is_proved=is_proved
    )
    return IncomingEvent(
        message_id=_message_id(document, digest),
        kind=kind,
        name=spelled_name or _name(kind, document),
        identifiers=identifiers,
        occurred_at=_occurred_at(document, context, request_context),
        body=body,
        body_hash=digest,
        traits=_traits(document, context) if kind == "identify" else None,
        about=about,
        actor=_actor(context) if context and request_context.is_trusted else "",
        proved_identifier=customer.identifier,
        token_fault=customer.fault,
        doubts=_doubts(spelled_name, document) if about else (),
    )


def _apply_request_context(document: dict[str, Any], request_context: RequestContext) -> bool:
    """Write the fields of the request into its event; return whether that changed it."""
    is_changed = False
    kind = request_context.kind or document.get("type")
    if document.get("type") != kind or "type" not in document:
        document["type"], is_changed = kind, True
    # Remove the key, because all readers of the event would see it.
    if "writeKey" in document:
        del document["writeKey"]
        is_changed = True
    if request_context.context:
        _share(document, "context", request_context.context)
        is_changed = True
    if request_context.integrations:
        _share(document, "integrations", request_context.integrations)
        is_changed = True
    return is_changed


def _share(document: dict[str, Any], name: str, shared: dict[str, Any]) -> None:
    """Write a field of the request into its event, whose own values count."""
    own = document.get(name)
    document[name] = {**shared, **own} if type(own) is dict else shared


def _remove_identity_token(document: dict[str, Any]) -> object:
    """Remove the identity token, which all readers of the event would see; return it, or None."""
    context = document.get("context")
    if type(context) is not dict or IDENTITY_TOKEN not in context:
        return None
    # The events of a batch may share this object.
    document["context"] = {name: context[name] for name in context if name != IDENTITY_TOKEN}
    token: object = context[IDENTITY_TOKEN]
    return "" if token is None else token


def _message_id(document: dict[str, Any], digest: bytes) -> str:
    stated_id = document.get("messageId")
    if stated_id is None or stated_id == "":
        # An event without an id but with a time is a duplicate if its content is the same.
        has_time = "timestamp" in document or "originalTimestamp" in document
        return f"digest-{digest.hex()}" if has_time else ""
    message_id = id_text(stated_id, "messageId")
    if len(message_id) > MAX_MESSAGE_ID:
        raise InvalidEvent("message_id_too_long", f"messageId has {len(message_id)} characters")
    return message_id


def _name(kind: str, document: dict[str, Any]) -> str:
    name = document.get("event" if kind == "track" else "name")
    if kind == "track":
        if name is None or name == "":
            raise InvalidEvent("missing_name", "a track event needs a name in `event`")
    elif kind not in ("page", "screen") or name is None:
        return ""
    if type(name) is not str:
        raise InvalidEvent("wrong_type", "the name is not text")
    if len(name) > MAX_NAME:
        raise InvalidEvent("name_too_long", f"the name has {len(name)} characters")
    return name


def _spelled_name(kind: str, document: dict[str, Any]) -> str:
    """Return the name of a track event as Butler's vocabulary spells it; "" if it is not valid."""
    name = document.get("event")
    if kind != "track" or type(name) is not str or len(name) > MAX_NAME:
        return ""
    return canonical_name(name)


def _doubts(name: str, document: dict[str, Any]) -> tuple[str, ...]:
    properties = document.get("properties")
    return find_doubts(name, properties) if type(properties) is dict else ()


def _traits(document: dict[str, Any], context: dict[str, Any]) -> dict[str, object]:
    """Return the traits of an identify. RudderStack's clients write them into its context only.

    The database function customers_trait_statements and read_statements.sql do the same.
    """
    traits = document.get("traits")
    # PHP writes an empty object as an empty list.
    if traits is None or traits in ([], {}):
        traits = context.get("traits")
        if type(traits) is not dict:
            return {}
    if type(traits) is not dict:
        raise InvalidEvent("wrong_type", "the traits are not an object")
    if len(traits) > MAX_TRAITS:
        raise InvalidEvent("too_many_traits", f"the event has {len(traits)} traits")
    return traits


def _occurred_at(
    document: dict[str, Any], context: dict[str, Any], request_context: RequestContext
) -> datetime:
    stated_time = _stated_time(document, request_context.local_zone)
    # Another server received the event before, and corrected its time then: it is of an archive.
    if stated_time is None or "receivedAt" in document:
        return min(stated_time or request_context.received_at, request_context.received_at)
    library = context.get("library")
    is_stamped_once = type(library) is dict and library.get("name") in _STAMP_ONCE_LIBRARIES
    return clock.corrected_time(
        stated_time,
        request_context.received_at,
        request_context.clock_error,
        is_stamped_once=is_stamped_once,
    )


def _stated_time(document: dict[str, Any], local_zone: tzinfo | None) -> datetime | None:
    """Return the time of the event; None if it states none. Raises InvalidEvent."""
    is_stated = False
    for name in ("timestamp", "originalTimestamp"):
        value = document.get(name)
        if value is None or value == "":
            continue
        if instant := times.read_instant(value, local_zone):
            return instant
        is_stated = True
    if is_stated:
        raise InvalidEvent("unreadable_time", "the time of the event is not RFC 3339 or epoch time")
    return None


_STAMP_ONCE_LIBRARIES = list(
    clock.STAMP_ONCE_LIBRARIES
)  # a list, because the name in an event may be an unhashable value


def _actor(context: dict[str, Any]) -> str:
    actor = context.get("actor")
    return actor if type(actor) is str and len(actor) <= MAX_REFERENCE else ""
