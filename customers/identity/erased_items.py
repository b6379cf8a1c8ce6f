"""Finds items about erased customers among those that cannot become events.

Nothing about an erased customer is stored, also not in quarantine. Such an item has no readable
form, so the members that usually name a customer or an order tell whom it is about.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice

import msgspec

from customers import sql
from customers.identity.families import EXTERNAL_PREFIX, ORDER
from customers.identity.identifier_keys import identifier_keys
from customers.identity.normalize import is_kind
from customers.identity.resolution import key_params
from customers.types import WEAK_KINDS, IncomingEvent, RejectedItem, Sender

# The kinds of the members that name a customer or an order, by their names in lower case, without
# "_".
_KINDS = {
    "userid": "user_id",
    "previousid": "user_id",
    "email": "email",
    "phone": "phone",
    "card": "card",
    "orderid": ORDER,
}
_MEMBER = re.compile(
    r'"(user_?id|previous_?id|email|phone|card|order_?id)"\s*:\s*"?([^"\\,}\]\s]+)', re.IGNORECASE
)
# The largest number of named identifiers of one item that Butler looks up.
_LIMIT = 50
# An item with more objects and lists may be nested too deeply for the JSON decoder.
_MAX_CONTAINERS = 200


def find_erased_items(
    items: Sequence[RejectedItem], sender: Sender, now: datetime
) -> frozenset[int]:
    """Return the places of the items that name an erased customer who did not act since."""
    keys_by_place = {
        place: identifier_keys(_named_event(rejected_item.raw, now), sender)
        for place, rejected_item in enumerate(items)
    }
    params = [
        [place, *param]
        for place, keys in keys_by_place.items()
        for param in key_params((key for key in keys if key.kind not in WEAK_KINDS), sender)
    ]
    if not params:
        return frozenset()
    rows = sql.rows("find_erased_items", {"keys": sql.json(params)})
    return frozenset(place for (place,) in rows)


def _named_event(raw: bytes, now: datetime) -> IncomingEvent:
    """Return an event with the identifiers that an item names."""
    return IncomingEvent(
        message_id="",
        kind="track",
        name="",
        identifiers=named_identifiers(raw),
        occurred_at=now,
        body=b"",
        body_hash=b"",
    )


def named_identifiers(raw: bytes) -> tuple[tuple[str, str], ...]:
    """Return the kinds and values of the identifiers that an item names, as far as it is readable."""
    named = _in_text(raw.decode(errors="replace"))
    if raw.count(b"{") + raw.count(b"[") <= _MAX_CONTAINERS:
        with suppress(msgspec.DecodeError, UnicodeDecodeError):
            named = _in_document(msgspec.json.decode(raw))
    return tuple(dict.fromkeys(islice(named, _LIMIT)))


def _in_text(text: str) -> Iterator[tuple[str, str]]:
    for name, value in _MEMBER.findall(text):
        yield _KINDS[_plain(name)], value


def _in_document(document: object) -> Iterator[tuple[str, str]]:
    pending = [document]
    while pending:
        part = pending.pop()
        if isinstance(part, list):
            pending += part
        elif isinstance(part, Mapping):
            pending += part.values()
            yield from _in_object(part)


def _in_object(members: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield the identifiers that members name, and that of an entry of `externalIds`."""
    for name, value in members.items():
        kind = _KINDS.get(_plain(name))
        if kind and isinstance(value, str | int):
            yield kind, str(value)
    named_kind, value = members.get("type"), members.get("id")
    if isinstance(named_kind, str) and isinstance(value, str | int):
        yield named_kind if is_kind(named_kind) else f"{EXTERNAL_PREFIX}{named_kind}", str(value)


def _plain(name: str) -> str:
    return name.lower().replace("_", "")
