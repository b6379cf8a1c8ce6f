"""Finds the records that the events of a batch belong to, and opens those that are missing.

Every event is filed under the strongest identifier it came with. Which records are one customer
is up to `customers.identity.merging`, which is called only where identifiers meet for the first
time.
"""

from collections.abc import Iterable, Sequence, Set
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from customers import sql
from customers.db.retry import RetryTransaction
from customers.identity import merging, reviews, shortcuts
from customers.identity.grouping import (
    ORDER,
    PLACED,
    SEEN,
    IdentifierKey,
    filing_order,
    order_number,
)
from customers.identity.normalize import is_kind, normalize
from customers.identity.shortcuts import KeyPair
from customers.projections import orders
from customers.types import CLAIMED, VERIFIED, WEAK_KINDS, IncomingEvent, Sender

# How an identifier names the source of an order: `order_identifier`.
_ORDER_PREFIX = f"{ORDER}:"
# What changes an order that stands.
_ORDER_CHANGES = orders.NAMES - {orders.PLACED}

# So many identifiers may hang together where a new link is drawn, and for each end of a new link
# in a batch so many more. Anybody can claim: without a limit, a page that claims a few thousand
# browsers to be one address makes each further event as slow as all of them together.
COMPONENT_LIMIT = {CLAIMED: 250, VERIFIED: 10_000}
COMPONENT_LIMIT_PER_END = 50

# A link as the database has it: first and second identifier, evidence and kind.
type _LinkRow = tuple[int, int, int, str]
# Links to draw, and their kinds.
type Links = dict[KeyPair, str]


class ResolvedIdentifier(NamedTuple):
    """An identifier, the record it files under, and the live record with its log's version."""

    id: int
    record_id: UUID | None
    customer_id: UUID | None
    version: int
    is_shared: bool = False


type Resolved = dict[IdentifierKey, ResolvedIdentifier]


def identifier_keys(event: IncomingEvent, sender: Sender) -> tuple[IdentifierKey, ...]:
    """Return the usable identifiers of an event, the one it is filed under first."""
    keys = set()
    for kind, raw in event.identifiers:
        kind, _, source = kind.partition(":") if kind.startswith(_ORDER_PREFIX) else (kind, "", "")
        value = normalize(kind, raw, sender.default_region) if is_kind(kind) else None
        if value is None:
            continue
        is_weak = kind in WEAK_KINDS
        if is_weak and sender.is_shared:
            # Whoever used a kiosk yesterday is not who uses it today.
            value = f"{value}@{sender.source_id}/{event.occurred_at:%Y-%m-%d}"
        if kind == ORDER:
            value = f"{source or sender.source_id}/{value}"
        keys.add(IdentifierKey(kind, value, CLAIMED if is_weak else sender.evidence))
    if sender.evidence == CLAIMED:
        # A number that somebody claims says nothing of whom the order belongs to.
        keys = {key for key in keys if key.kind != ORDER} or keys
    return tuple(sorted(keys, key=lambda key: (*filing_order(key.kind, key.evidence), key)))


def resolve(keys: Iterable[IdentifierKey]) -> tuple[Resolved, set[tuple[str, str]]]:
    """Find these identifiers and lock their records; return also which values are blocked."""
    return read_resolved(sql.run("resolve_identifiers", {"keys": sql.json(list(keys))}))


def read_resolved(cursor: Iterable[Any]) -> tuple[Resolved, set[tuple[str, str]]]:
    """Read the rows of resolve_identifiers.sql."""
    resolved: Resolved = {}
    blocked: set[tuple[str, str]] = set()
    for id_, kind, value, evidence, record, customer, version, is_shared, is_stale in cursor:
        if is_stale:
            raise RetryTransaction
        if id_ is None:
            blocked.add((kind, value))
        else:
            key = IdentifierKey(kind, value, evidence)
            resolved[key] = ResolvedIdentifier(id_, record, customer, version or 0, is_shared)
    return resolved, blocked


def order_identifier(source_id: int, number: str) -> tuple[str, str]:
    """Return the identifier by which an event of any source names an order of this source."""
    return f"{_ORDER_PREFIX}{source_id}", number


def put_changed_orders_first(
    events: Iterable[IncomingEvent],
    keys_by_event: Iterable[tuple[IdentifierKey, ...]],
    resolved: Resolved,
) -> list[tuple[IdentifierKey, ...]]:
    """File each change of an order on the order, wherever the order belongs now or later.

    So the change is found with whoever placed the order, although it names somebody else, and
    although it arrives before the order does.
    """
    return [
        _changed_order_first(keys, resolved) if event.name in _ORDER_CHANGES else keys
        for event, keys in zip(events, keys_by_event, strict=True)
    ]


def _changed_order_first(
    keys: tuple[IdentifierKey, ...], resolved: Resolved
) -> tuple[IdentifierKey, ...]:
    order_key = next((key for key in keys if key.kind == ORDER), None)
    order = resolved.get(order_key) if order_key else None
    if order_key is None or (order is not None and order.is_shared):
        return keys
    return (order_key, *(key for key in keys if key != order_key))


def links_of(
    events: Iterable[tuple[IncomingEvent, tuple[IdentifierKey, ...]]], sender: Sender
) -> Links:
    """Return the links that events draw: from the strongest that is no order to all others."""
    own_prefix = f"{sender.source_id}/"
    links: Links = {}
    for event, keys in events:
        people = [key for key in keys if key.kind != ORDER]
        for other in people[1:]:
            links[people[0], other] = SEEN
        for order in keys if people else ():
            if order.kind == ORDER and order.value.startswith(own_prefix):
                was_placed = links.get((people[0], order)) == PLACED
                is_placed = event.name == orders.PLACED or was_placed
                links[people[0], order] = PLACED if is_placed else SEEN
    return links


def open_missing(
    keys_by_event: Sequence[tuple[IdentifierKey, ...]],
    links: Links,
    resolved: Resolved,
    sender: Sender,
    now: datetime,
) -> Resolved:
    """Store new identifiers, records and links, so that every event of the batch has a record."""
    all_keys = {key for keys in keys_by_event for key in keys}
    unknown = {key for key in all_keys if key not in resolved}
    repeated_orders = _lock_order_numbers(all_keys, resolved)
    filing_keys = {keys[0] for keys in keys_by_event}
    without_record = [
        key for key in filing_keys if key not in resolved or resolved[key].record_id is None
    ]
    new_ids = _insert_records(len(without_record), now)
    new_records = dict(zip(without_record, new_ids, strict=True))
    assigned = _assign_records(new_records, resolved)
    certain: dict[IdentifierKey, UUID] = {}
    if unknown:
        owners = {key: None if row.is_shared else row.customer_id for key, row in resolved.items()}
        certain = shortcuts.certain_owners(links.keys(), sender.evidence, new_records, owners)
        resolved |= _insert_identifiers(unknown, new_records, certain, now)
    new_links, linked_orders = (
        _insert_links(links, resolved, sender, certain.keys()) if links else (set(), set())
    )
    linked_orders |= {resolved[key].id for key in repeated_orders & unknown}
    regrouped, concerned = _regroup(assigned | linked_orders, new_links, resolved, sender, now)
    if strong := [resolved[key].id for key in unknown if key.kind not in WEAK_KINDS]:
        sql.run("insert_suggested_merges", {"ids": strong})
    stale = [
        key for key, row in resolved.items() if row.id in regrouped or row.customer_id in concerned
    ]
    return resolved | resolve(stale)[0] if stale else resolved


def _lock_order_numbers(keys: Iterable[IdentifierKey], resolved: Resolved) -> set[IdentifierKey]:
    """Wait for others who bring these new orders; return those whose number another order has.

    What one source says of a number alone follows the only order that has it, so that an order
    counts as new until somebody is known to have placed it.
    """
    new_orders = {
        key
        for key in keys
        if key.kind == ORDER and key.evidence == VERIFIED
        if (order := resolved.get(key)) is None or order.record_id is not None
    }
    if not new_orders:
        return set()
    params = {"numbers": sorted({order_number(key.value) for key in new_orders})}
    sql.rows("lock_order_numbers", params)
    used_numbers = {number for (number,) in sql.rows("find_order_numbers", params)}
    return {key for key in new_orders if order_number(key.value) in used_numbers}


def _regroup(
    assigned: set[int],
    links: set[_LinkRow],
    resolved: Resolved,
    sender: Sender,
    now: datetime,
) -> tuple[set[int], set[UUID]]:
    """Draw the groups around new links; return the identifiers, and the records concerned."""
    ids = assigned | {end for first, second, *_ in links for end in (first, second)}
    if not ids:
        return set(), set()
    locked = {row.customer_id for row in resolved.values() if row.customer_id}
    limit = COMPONENT_LIMIT[sender.evidence] + COMPONENT_LIMIT_PER_END * len(ids)
    try:
        return ids, merging.regroup(ids, now=now, locked=locked, limit=limit)
    except merging.ComponentTooLarge as component:
        _delete_links(links)
        if component.oldest:
            reviews.request_for_component(component.oldest, sender.evidence)
    if not assigned:
        return assigned, set()
    return assigned, merging.regroup(assigned, now=now, locked=locked)


def _delete_links(links: set[_LinkRow]) -> None:
    """Leave the component as it is: new identifiers stay beside it, under their own records."""
    if links:
        firsts, seconds, evidences, _ = (list(column) for column in zip(*links, strict=True))
        params = {"firsts": firsts, "seconds": seconds, "evidences": evidences}
        sql.run("delete_links", params)


def _insert_records(count: int, now: datetime) -> list[UUID]:
    ids = [uuid7() for _ in range(count)]
    if ids:
        sql.run("insert_records", {"ids": ids, "now": now})
    return ids


def _assign_records(new_records: dict[IdentifierKey, UUID], resolved: Resolved) -> set[int]:
    """Give known identifiers without a record of their own the one that was just opened."""
    pairs = [(resolved[key].id, record) for key, record in new_records.items() if key in resolved]
    if not pairs:
        return set()
    ids, records = zip(*pairs, strict=True)
    updated = sql.run("assign_records", {"ids": list(ids), "records": list(records)})
    if updated.rowcount != len(pairs):
        raise RetryTransaction
    return set(ids)


def _insert_identifiers(
    unknown: set[IdentifierKey],
    new_records: dict[IdentifierKey, UUID],
    certain: dict[IdentifierKey, UUID],
    now: datetime,
) -> Resolved:
    owners = new_records | certain
    identifiers = [
        {
            "kind": key.kind,
            "value": key.value,
            "evidence": key.evidence,
            "record_id": new_records.get(key),
            "customer_id": owners.get(key),
        }
        for key in unknown
    ]
    params = {"identifiers": sql.json(identifiers), "now": now}
    inserted = sql.rows("insert_identifiers", params)
    if len(inserted) != len(unknown):
        raise RetryTransaction
    return {
        key: ResolvedIdentifier(id_, new_records.get(key), owners.get(key), 0)
        for id_, *columns in inserted
        for key in (IdentifierKey(*columns),)
    }


def _insert_links(
    links: Links, resolved: Resolved, sender: Sender, certain: Set[IdentifierKey]
) -> tuple[set[_LinkRow], set[int]]:
    """Store which identifiers came together.

    Return the new links that the groups have to be drawn for, and the newly linked orders.
    """
    keys_of: dict[_LinkRow, KeyPair] = {}
    for (strongest, other), kind in links.items():
        first, second = sorted((resolved[strongest].id, resolved[other].id))
        keys_of[first, second, sender.evidence, kind] = strongest, other
    names = ("firsts", "seconds", "evidences", "kinds")
    columns = (list(column) for column in zip(*keys_of, strict=True))
    stored = sql.rows("find_links", dict(zip(names, columns, strict=True)))
    new_links = keys_of.keys() - set(stored)
    if new_links:
        names = ("first_id", "second_id", "evidence", "kind")
        rows = [dict(zip(names, link, strict=True)) for link in new_links]
        sql.run("insert_links", {"links": sql.json(rows), "source_id": sender.source_id})
    orders_linked = {keys_of[link][1] for link in new_links if keys_of[link][1].kind == ORDER}
    to_draw = {
        link
        for link in new_links
        if keys_of[link][1].kind != ORDER and certain.isdisjoint(keys_of[link])
    }
    return to_draw, {resolved[order].id for order in orders_linked - certain}
