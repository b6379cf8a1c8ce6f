"""Read the identifiers and the subject (`about`) of an event. Pure."""

import re
from typing import Any

from channels.ingest.limits import InvalidEvent
from customers.projections.orders import MOVING, PLACED
from customers.values.order_numbers import without_separator

MAX_VALUE = 512
MAX_REFERENCE = 128
# Butler must look up and link each of them, so their number is limited.
MAX_IDENTIFIERS = 32

# The types in `context.externalIds` that are kinds of identifiers and not `external:<type>`.
OWN_KINDS = frozenset({"user_id", "anonymous_id", "email", "phone", "card", "device"})
# The kinds of subjects, with the properties that name one; the first property found counts.
SUBJECT_PROPERTIES = (
    ("order", ("order_id", "orderId")),
    ("call", ("call_id", "callId")),
    ("visit", ("visit_id", "visitId")),
    ("chat", ("chat_id", "chatId")),
)
# "Party Member Changed" and "… Removed" name the member by its reference.
MEMBER_PROPERTIES = (("member", ("reference",)),)

CONTACTS = ("email", "phone", "card")
# The fields of the kinds of events that state contacts.
_STATED_IN = {"identify": "traits", "track": "properties"}
_SUBJECT_NAMES = frozenset(name for _, names in SUBJECT_PROPERTIES for name in names)
# The events about an order whose properties name its customer.
_NAMING_CUSTOMER = MOVING | {PLACED}
# A `previousId` of this form names a mailbox, and not a browser.
_ADDRESS = re.compile(r"\s*[^@\s]+@[^@\s]+\.[^@\s]+\s*")
_INVALID_IN_KIND = re.compile(r"[^a-z0-9_.-]")


def read_identifiers(
    kind: str,
    name: str,
    document: dict[str, Any],
    context: dict[str, Any],
    *,
    is_proved: bool = False,
) -> tuple[tuple[tuple[str, str], ...], str]:
    """Return the distinct identifiers, and the subject as `kind:reference`. Raises InvalidEvent.

    name: the name of the event as Butler's vocabulary spells it
    is_proved: a customer token names the customer, so the event needs no identifier
    """
    identifiers = _identifiers(kind, name, document, context)
    about = _about(name, document, identifiers) if kind == "track" else ""
    if not identifiers and not is_proved:
        raise InvalidEvent(
            "missing_ids", "the event has no userId, anonymousId or other identifier"
        )
    if len(identifiers) > MAX_IDENTIFIERS:
        raise InvalidEvent("too_many_identifiers", f"the event has {len(identifiers)} identifiers")
    return tuple(dict.fromkeys(identifiers)), about


def _identifiers(
    kind: str, name: str, document: dict[str, Any], context: dict[str, Any]
) -> list[tuple[str, str]]:
    identifiers: list[tuple[str, str]] = []
    _add_strict(identifiers, "user_id", document.get("userId"), "userId")
    _add_strict(identifiers, "anonymous_id", document.get("anonymousId"), "anonymousId")
    stated = _stated_contacts(kind, name, document)
    if kind == "alias" and "email" not in stated:
        _add_strict(identifiers, "anonymous_id", document.get("previousId"), "previousId")
    if context:
        _add_from_context(identifiers, context)
    context_traits = context.get("traits")
    if type(context_traits) is not dict:
        context_traits = {}
    if stated or context_traits:
        for contact in CONTACTS:
            _add_lenient(identifiers, contact, stated.get(contact) or context_traits.get(contact))
    return identifiers


def _stated_contacts(kind: str, name: str, document: dict[str, Any]) -> dict[str, Any]:
    """Return where the contacts of this event stand, apart from its context.

    They count instead of `context.traits`, in which a client may still name its previous user.
    Events other than an order may have an address of somebody else, such as an invited friend.
    """
    if kind == "alias":
        previous_id = document.get("previousId")
        is_address = type(previous_id) is str and _ADDRESS.fullmatch(previous_id)
        return {"email": previous_id} if is_address else {}
    contacts = document.get(_STATED_IN.get(kind, ""))
    if type(contacts) is not dict:
        return {}
    if kind == "track" and name not in _NAMING_CUSTOMER:
        card = contacts.get("card")
        return {"card": card} if card else {}
    return contacts


def _add_from_context(identifiers: list[tuple[str, str]], context: dict[str, Any]) -> None:
    device = context.get("device")
    if type(device) is dict:
        _add_lenient(identifiers, "device", device.get("id"))
    external = context.get("externalIds")
    if type(external) is list:
        _add_external(identifiers, external)


def _add_strict(identifiers: list[tuple[str, str]], kind: str, value: Any, field: str) -> None:
    if value is None or value == "":
        return
    text = value if type(value) is str else id_text(value, field)
    if len(text) > MAX_VALUE:
        raise InvalidEvent("id_too_long", f"{field} has {len(text)} characters")
    identifiers.append((kind, text))


def _add_lenient(identifiers: list[tuple[str, str]], kind: str, value: Any) -> None:
    """Add a value if it can be an identifier; otherwise ignore it, because it is also a fact."""
    if type(value) is int:
        value = str(value)
    if type(value) is str and 0 < len(value) <= MAX_VALUE:
        identifiers.append((kind, value))


def _add_external(identifiers: list[tuple[str, str]], external: list[Any]) -> None:
    for entry in external:
        if type(entry) is not dict or type(entry.get("type")) is not str:
            raise InvalidEvent("wrong_type", "externalIds are objects with id and type")
        kind = _INVALID_IN_KIND.sub("_", entry["type"].strip().lower())
        if not 0 < len(kind) <= 50:
            raise InvalidEvent("wrong_type", "the type of an external id has 1 to 50 characters")
        kind = kind if kind in OWN_KINDS else f"external:{kind}"
        _add_strict(identifiers, kind, entry.get("id"), "externalIds")


def _about(name: str, document: dict[str, Any], identifiers: list[tuple[str, str]]) -> str:
    properties = document.get("properties")
    if type(properties) is not dict:
        return ""
    if name.startswith("Party Member "):
        return _subject(properties, MEMBER_PROPERTIES, identifiers)
    # Most events have no subject, so a quick check comes first.
    if _SUBJECT_NAMES.isdisjoint(properties):
        metadata = properties.get("metadata")
        # Shops write the number of their order into the metadata of a payment.
        if type(metadata) is not dict or _SUBJECT_NAMES.isdisjoint(metadata):
            return ""
        properties = metadata
    return _subject(properties, SUBJECT_PROPERTIES, identifiers)


def _subject(
    properties: dict[str, Any],
    subject_properties: tuple[tuple[str, tuple[str, ...]], ...],
    identifiers: list[tuple[str, str]],
) -> str:
    for subject_kind, names in subject_properties:
        for name in names:
            reference = properties.get(name)
            if reference is None or reference == "":
                continue
            text = id_text(reference, name).strip()
            if len(text) > MAX_REFERENCE:
                raise InvalidEvent("id_too_long", f"{name} has {len(text)} characters")
            if not text:
                continue
            if subject_kind == "order":
                text = without_separator(text)
                identifiers.append(("order", text))
            return f"{subject_kind}:{text}"
    return ""


def id_text(value: Any, field: str) -> str:
    """Return an id as text, because clients also send numbers. Raises InvalidEvent."""
    if type(value) is str:
        return value
    if type(value) is int:
        return str(value)
    if type(value) is float:
        return str(int(value)) if value.is_integer() else repr(value)
    raise InvalidEvent("wrong_type", f"{field} is neither text nor a number")
