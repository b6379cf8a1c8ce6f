"""Finds the identifiers of a batch of events, and the records that they lead to.

Each event is filed on the first of its identifiers, except a change of an order:
`_put_changed_orders_first`.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings

from customers import sql
from customers.db.retry import RetryTransaction
from customers.identity import erasure_rules
from customers.identity.erasure_rules import ErasedIdentifier, ErasedIdentifiers
from customers.identity.families import ORDER, filing_rank, is_number, split_source
from customers.identity.links import IdentifierKey
from customers.identity.normalize import is_kind, is_of_the_company, normalize
from customers.identity.periods import Period, period_at
from customers.projections import orders
from customers.types import CLAIMED, VERIFIED, WEAK_KINDS, IncomingEvent, Sender

# Events that change an existing order.
_ORDER_CHANGES = orders.NAMES - {orders.PLACED}

# The end of the identifier of a kiosk. A page that sends it could file events on a kiosk's customer.
_KIOSK_DAY = re.compile(r"@\d+/\d{4}-\d\d-\d\d\Z")


_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


class ResolvedIdentifier(NamedTuple):
    """An identifier, its own record, and its live record with the version of that log."""

    id: int
    record_id: UUID | None
    customer_id: UUID | None
    version: int
    is_shared: bool = False
    is_placeholder: bool = False
    # When the period of an address begins; None for the first period.
    period_starts_at: datetime | None = None
    # A customer proved the address by a code, in this period.
    is_proved: bool = False


type Resolved = dict[IdentifierKey, ResolvedIdentifier]
# The latest tombstones, by the identifier in its first period.
type Tombstones = dict[IdentifierKey, ErasedIdentifier]


class Resolution(NamedTuple):
    """The known identifiers of a batch, and its blocked and erased ones."""

    resolved: Resolved
    # Blocked kinds and values.
    blocked: set[tuple[str, str]]
    tombstones: Tombstones


class ResolvedEvents(NamedTuple):
    """The identifiers of each event of a batch, and the records that they lead to."""

    keys_by_event: list[tuple[IdentifierKey, ...]]
    resolved: Resolved
    # The places of the events that are refused as erased.
    erased_events: frozenset[int]
    tombstones: Tombstones


def identifier_keys(event: IncomingEvent, sender: Sender) -> tuple[IdentifierKey, ...]:
    """Return the usable identifiers of an event. The event is filed on the first one."""
    keys = set()
    for named_kind, raw in event.identifiers:
        kind, source = split_source(named_kind)
        kind = _spelled_kind(kind, raw)
        value = normalize(kind, raw, sender.default_region) if is_kind(kind) else None
        if value is None or (kind == "email" and is_of_the_company(value, sender.channel)):
            continue
        is_weak = kind in WEAK_KINDS
        if is_weak and sender.is_shared:
            # Another customer may use the kiosk tomorrow, so the identifier holds for one day.
            value = f"{value}@{sender.source_id}/{event.occurred_at:%Y-%m-%d}"
        elif is_weak and sender.is_public and _KIOSK_DAY.search(value):
            continue
        if kind == ORDER or is_number(kind):
            value = f"{source or sender.source_id}/{value}"
        keys.add(IdentifierKey(kind, value, CLAIMED if is_weak else sender.evidence))
    if sender.evidence == CLAIMED:
        keys |= _proved_keys(event)
        keys -= {key._replace(evidence=CLAIMED) for key in _proved_keys(event)}
        # A claimed order number does not prove that the order belongs to the customer.
        keys = {key for key in keys if key.kind != ORDER} or keys
    if len(keys) == 1:
        return tuple(keys)
    return tuple(sorted(keys, key=lambda key: _filing_order(key, sender)))


def _proved_keys(event: IncomingEvent) -> set[IdentifierKey]:
    """Return the identifier for which the customer token of an event speaks, if it has one."""
    proved = event.proved_identifier
    return {IdentifierKey(*proved, VERIFIED)} if proved else set()


def _filing_order(key: IdentifierKey, sender: Sender) -> tuple[object, ...]:
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


def stored_identifier(kind: str, value: str) -> tuple[str, str]:
    """Return the kind and value by which events of any source name a stored identifier.

    value: as the database stores it; a number or an order begins with the id of its source
    """
    if kind == ORDER or is_number(kind):
        source_id, _, number = value.partition("/")
        return f"{kind}:{source_id}", number
    return kind, value


def stored_account(number: str, sender: Sender) -> tuple[str, str] | None:
    """Return the kind and the stored value of an account that a source names; None for nobody.

    A number that is spelled like an address is that address.
    """
    kind = _spelled_kind("user_id", number)
    value = normalize(kind, number, sender.default_region)
    if value is None or (kind == "email" and is_of_the_company(value, sender.channel)):
        return None
    return kind, f"{sender.source_id}/{value}" if is_number(kind) else value


def resolve_events(events: Sequence[IncomingEvent], sender: Sender) -> ResolvedEvents:
    """Find the usable identifiers of each event, and the records that they lead to, locked.

    Each event is filed on its first identifier. An event may have no usable identifier.
    """
    keys_by_event = [identifier_keys(event, sender) for event in events]
    resolution = resolve({key for keys in keys_by_event for key in keys})
    resolved, blocked = resolution.resolved, resolution.blocked
    if blocked:
        keys_by_event = [
            tuple(key for key in keys if key[:2] not in blocked) for keys in keys_by_event
        ]
    erased = erased_identifiers(resolved, resolution.tombstones)
    accepted = erasure_rules.accept_events(events, keys_by_event, erased, sender)
    keys_by_event = [keys or () for keys in accepted]
    keys_by_event = _in_their_periods(events, keys_by_event, resolved, resolution.tombstones)
    keys_by_event = _put_placeholders_last(keys_by_event, resolved)
    return ResolvedEvents(
        _put_changed_orders_first(events, keys_by_event, resolved),
        resolved,
        frozenset(place for place, keys in enumerate(accepted) if keys is None),
        resolution.tombstones,
    )


def erased_identifiers(resolved: Resolved, tombstones: Tombstones) -> ErasedIdentifiers:
    """Return the erased identifiers, and those whose new period has begun or was proved."""
    if not tombstones:
        return ErasedIdentifiers(tombstones, frozenset(), frozenset())
    current = [
        (key._replace(period=0), row)
        for key, row in resolved.items()
        if (tombstone := tombstones.get(key._replace(period=0))) and key.period >= tombstone.period
    ]
    return ErasedIdentifiers(
        tombstones,
        begun=frozenset(key for key, _ in current),
        proved=frozenset(key for key, row in current if row.is_proved),
    )


def _in_their_periods(
    events: Sequence[IncomingEvent],
    keys_by_event: list[tuple[IdentifierKey, ...]],
    resolved: Resolved,
    tombstones: Tombstones,
) -> list[tuple[IdentifierKey, ...]]:
    """Name the period of each identifier that has several: the one of the event's time."""
    periods: defaultdict[IdentifierKey, list[Period]] = defaultdict(list)
    for key, row in resolved.items():
        if row.period_starts_at:
            periods[key._replace(period=0)].append(Period(row.period_starts_at, key.period))
    for key, tombstone in tombstones.items():
        periods[key].append(Period(tombstone.erased_at, tombstone.period))
    if not periods:
        return keys_by_event
    return [
        tuple(
            key._replace(period=period_at(periods.get(key, ()), _moment(event, key)))
            for key in keys
        )
        for event, keys in zip(events, keys_by_event, strict=True)
    ]


def _moment(event: IncomingEvent, key: IdentifierKey) -> datetime:
    """Return the time whose period counts. A customer token speaks for the holder of today."""
    is_proved = event.proved_identifier is not None and key.evidence == VERIFIED
    return _END_OF_TIME if is_proved else event.occurred_at


def _put_placeholders_last(
    keys_by_event: list[tuple[IdentifierKey, ...]], resolved: Resolved
) -> list[tuple[IdentifierKey, ...]]:
    """File no event on a placeholder if it names another identifier."""
    placeholders = {key for key, row in resolved.items() if row.is_placeholder}
    if not placeholders:
        return keys_by_event
    return [tuple(sorted(keys, key=lambda key: key in placeholders)) for keys in keys_by_event]


def resolve(keys: Iterable[IdentifierKey]) -> Resolution:
    """Find these identifiers and lock their records; also return tombstones and blocked values.

    All periods of an identifier are returned.
    """
    named = {key._replace(period=0) if key.period else key for key in keys}
    secret = settings.ERASURE_KEY
    params = [[*key[:3], erasure_rules.digest(secret, key).hex()] for key in named]
    return read_resolved(sql.run("resolve_identifiers", {"keys": sql.json(params)}))


def read_resolved(cursor: Iterable[Any]) -> Resolution:
    """Parse the rows of resolve_identifiers.sql."""
    resolution = Resolution({}, set(), {})
    for id_, kind, value, evidence, period, is_stale, erasure_id, refused, *columns in cursor:
        if is_stale:
            raise RetryTransaction
        if id_ is not None:
            record, customer, version, *flags = columns
            resolution.resolved[IdentifierKey(kind, value, evidence, period)] = ResolvedIdentifier(
                id_, record, customer, version or 0, *flags
            )
        elif erasure_id is None:
            resolution.blocked.add((kind, value))
        else:
            key = IdentifierKey(kind, value, evidence)
            earlier = resolution.tombstones.get(key)
            tombstone = ErasedIdentifier(erasure_id, period, columns[5], tuple(refused))
            if earlier is None or earlier.period < period:
                resolution.tombstones[key] = tombstone
    return resolution


def _put_changed_orders_first(
    events: Sequence[IncomingEvent],
    keys_by_event: Sequence[tuple[IdentifierKey, ...]],
    resolved: Resolved,
) -> list[tuple[IdentifierKey, ...]]:
    """File a change of an order on the order, unless it names a customer who placed it.

    The change then goes to the record of the order, even if it names another customer or arrives
    before the order.
    """
    events_with_keys = list(zip(events, keys_by_event, strict=True))
    placed_now = {
        (_order_of(keys), keys[0])
        for event, keys in events_with_keys
        if event.name == orders.PLACED and keys
    }
    is_change = [
        event.name in _ORDER_CHANGES
        and (order := _order_of(keys)) is not None
        and (order, keys[0]) not in placed_now
        for event, keys in events_with_keys
    ]
    changed = {
        _order_of(keys) for keys, changes in zip(keys_by_event, is_change, strict=True) if changes
    }
    placers = _find_placers({order for order in changed if order}, resolved)
    return [
        tuple(sorted(keys, key=lambda key: key.kind != ORDER))
        if changes and not _is_placer(keys, placers, resolved)
        else keys
        for keys, changes in zip(keys_by_event, is_change, strict=True)
    ]


def _order_of(keys: tuple[IdentifierKey, ...]) -> IdentifierKey | None:
    return next((key for key in keys if key.kind == ORDER), None)


def _find_placers(
    order_keys: Set[IdentifierKey], resolved: Resolved
) -> set[tuple[IdentifierKey, UUID]]:
    """Return the orders that are known, each with every customer who placed it."""
    by_id = {resolved[key].id: key for key in order_keys if key in resolved}
    rows = sql.rows("find_order_placers", {"ids": sorted(by_id)}) if by_id else []
    return {(by_id[order], customer) for order, customer in rows}


def _is_placer(
    keys: tuple[IdentifierKey, ...],
    placers: Set[tuple[IdentifierKey, UUID]],
    resolved: Resolved,
) -> bool:
    """Tell whether the first identifier of a change leads to a customer who placed its order."""
    order, person = _order_of(keys), resolved.get(keys[0])
    return order is not None and person is not None and (order, person.customer_id) in placers
