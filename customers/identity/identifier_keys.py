"""Reads the usable identifiers of an event, the one that it is filed on first. Pure."""

import re

from customers.identity.families import ORDER, filing_rank, is_number, split_source
from customers.identity.links import IdentifierKey
from customers.identity.non_identifiers import NonIdentifiers
from customers.identity.normalize import current_rules, is_kind, is_of_the_company, normalize
from customers.identity.short_text_cache import ShortTextCache
from customers.types import CLAIMED, VERIFIED, WEAK_KINDS, IncomingEvent, Sender

# The end of the identifier of a kiosk. A page that sends it could file events on a kiosk's customer.
_KIOSK_DAY = re.compile(r"@\d+/\d{4}-\d\d-\d\d\Z")

# The identifiers of an event, as its sender names them: kinds and values.
type NamedIdentifiers = tuple[tuple[str, str], ...]

# All that the usable identifiers of an event follow from: the named ones, the proved one, the sender,
# the day if customers share the device, and the rules.
type _Arguments = tuple[NamedIdentifiers, tuple[str, str] | None, Sender, str, NonIdentifiers]
# Customers send many events with the same identifiers.
_cached_keys: ShortTextCache[_Arguments, tuple[IdentifierKey, ...]] = ShortTextCache()


def identifier_keys(event: IncomingEvent, sender: Sender) -> tuple[IdentifierKey, ...]:
    """Return the usable identifiers of an event. The event is filed on the first one."""
    day = f"{event.occurred_at:%Y-%m-%d}" if sender.is_shared else ""
    arguments = (event.identifiers, event.proved_identifier, sender, day, current_rules())
    keys = _cached_keys.get(arguments)
    if keys is None:
        keys = _usable_keys(event.identifiers, event.proved_identifier, sender, day)
        texts = [value for _, value in event.identifiers] + [*(event.proved_identifier or ())]
        _cached_keys.store(arguments, keys, length=sum(map(len, texts)))
    return keys


def _usable_keys(
    identifiers: NamedIdentifiers, proved: tuple[str, str] | None, sender: Sender, day: str
) -> tuple[IdentifierKey, ...]:
    keys = {key for kind, raw in identifiers if (key := _usable_key(kind, raw, sender, day))}
    if sender.evidence == CLAIMED:
        if proved:
            keys.discard(IdentifierKey(*proved, CLAIMED))
            keys.add(IdentifierKey(*proved, VERIFIED))
        # A claimed order number does not prove that the order belongs to the customer.
        keys = {key for key in keys if key.kind != ORDER} or keys
    return tuple(sorted(keys, key=lambda key: filing_order(key, sender)))


def _usable_key(named_kind: str, raw: str, sender: Sender, day: str) -> IdentifierKey | None:
    kind, source = split_source(named_kind)
    kind = _spelled_kind(kind, raw)
    value = normalize(kind, raw, sender.default_region) if is_kind(kind) else None
    if value is None or (kind == "email" and is_of_the_company(value, sender.channel)):
        return None
    is_weak = kind in WEAK_KINDS
    if is_weak and sender.is_shared:
        # Another customer may use the kiosk tomorrow, so the identifier holds for one day.
        value = f"{value}@{sender.source_id}/{day}"
    elif is_weak and sender.is_public and _KIOSK_DAY.search(value):
        return None
    if kind == ORDER or is_number(kind):
        value = f"{source or sender.source_id}/{value}"
    return IdentifierKey(kind, value, CLAIMED if is_weak else sender.evidence)


def filing_order(key: IdentifierKey, sender: Sender) -> tuple[object, ...]:
    """Return the sort key of an event's identifiers: the first one is its primary identifier.

    The primary identifier of an event with claims only is its device, not the claimed person.
    """
    is_claim = key.evidence == CLAIMED and key.kind not in WEAK_KINDS
    return is_claim, filing_rank(key.kind, has_several_ids=sender.has_several_ids), key


def _spelled_kind(kind: str, value: str) -> str:
    """Return the kind of a number that is spelled like an address: it is that address."""
    if kind != "user_id" or ("@" not in value and "+" not in value):
        return kind
    text = value.strip()
    if "@" in text and normalize("email", text):
        return "email"
    is_phone = text.startswith("+") and text[1:].replace(" ", "").isdigit()
    return "phone" if is_phone and normalize("phone", text) else kind


def stored_account(number: str, sender: Sender) -> tuple[str, str] | None:
    """Return the kind and the stored value of an account that a source names; None for nobody.

    A number that is spelled like an address is that address.
    """
    kind = _spelled_kind("user_id", number)
    value = normalize(kind, number, sender.default_region)
    if value is None or (kind == "email" and is_of_the_company(value, sender.channel)):
        return None
    return kind, f"{sender.source_id}/{value}" if is_number(kind) else value
