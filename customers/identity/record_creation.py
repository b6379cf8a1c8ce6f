"""Stores the new identifiers, records and links of a batch of events.

`customers.identity.merging` decides which records are one customer. This module calls it only if
the batch contains new links.
"""

from collections.abc import Iterable, Sequence, Set
from datetime import datetime
from uuid import UUID

from uuid_utils.compat import uuid7

from customers import sql
from customers.db.retry import RetryTransaction
from customers.identity import graph, merging, reviews, shortcuts
from customers.identity.grouping import ORDER, IdentifierKey
from customers.identity.order_ownership import order_number
from customers.identity.resolution import LinkPairs, Resolved, ResolvedIdentifier, links_of, resolve
from customers.identity.shortcuts import KeyPair
from customers.types import CLAIMED, VERIFIED, WEAK_KINDS, IncomingEvent, Sender

# The largest number of linked identifiers that Butler regroups for new links: a base, plus a number
# for each end of a new link in the batch. Every browser can send claims. Without a limit, a page
# that claims one address for a few thousand browsers would make each further event of them slow.
COMPONENT_LIMIT = {CLAIMED: 250, VERIFIED: 10_000}
COMPONENT_LIMIT_PER_END = 50

# A link as the database stores it: first and second identifier, evidence and kind.
type _LinkRow = tuple[int, int, int, str]


def open_missing(
    events: Sequence[tuple[IncomingEvent, tuple[IdentifierKey, ...]]],
    resolved: Resolved,
    sender: Sender,
    now: datetime,
) -> Resolved:
    """Store new identifiers, records and links, so that each event of the batch has a record.

    events: each event with its identifiers; the first is the one it is filed under
    returns: all identifiers of the batch with their records
    """
    links = links_of(events, sender)
    keys_by_event = [keys for _, keys in events]
    unknown = {key for keys in keys_by_event for key in keys if key not in resolved}
    repeated_orders = _lock_order_numbers(keys_by_event, resolved)
    new_records = _insert_records({keys[0] for keys in keys_by_event}, resolved, now)
    assigned = _assign_records(new_records, resolved)
    certain = _certain_owners(links, sender, new_records, resolved) if unknown else {}
    resolved |= _insert_identifiers(unknown, new_records, certain, now)
    new_links, linked_orders = _insert_links(links, resolved, sender, certain.keys())
    linked_orders |= {resolved[key].id for key in repeated_orders & unknown}
    regrouped, concerned = _regroup(assigned | linked_orders, new_links, resolved, sender, now)
    _suggest_merges(resolved[key].id for key in unknown if key.kind not in WEAK_KINDS)
    return _resolve_again(resolved, regrouped, concerned)


def _certain_owners(
    links: LinkPairs, sender: Sender, new_records: dict[IdentifierKey, UUID], resolved: Resolved
) -> dict[IdentifierKey, UUID]:
    owners = {key: None if row.is_shared else row.customer_id for key, row in resolved.items()}
    return shortcuts.certain_owners(links.keys(), sender.evidence, new_records, owners)


def _suggest_merges(new_ids: Iterable[int]) -> None:
    if ids := list(new_ids):
        sql.run("insert_suggested_merges", {"ids": ids})


def _resolve_again(resolved: Resolved, regrouped: set[int], concerned: set[UUID]) -> Resolved:
    """Return all identifiers, after reading again those that the regrouping may have moved."""
    stale = [
        key for key, row in resolved.items() if row.id in regrouped or row.customer_id in concerned
    ]
    return resolved | resolve(stale)[0] if stale else resolved


def _lock_order_numbers(
    keys_by_event: Iterable[tuple[IdentifierKey, ...]], resolved: Resolved
) -> set[IdentifierKey]:
    """Lock the numbers of new orders; return the orders whose number another order has.

    The lock waits for other transactions that store the same new orders. An order counts as new
    until an event that placed it is stored, because until then it follows the only other order
    with its number.
    """
    new_orders = {
        key
        for keys in keys_by_event
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
    """Regroup around new links; return the regrouped identifiers and the affected records."""
    ids = assigned | {end for first, second, *_ in links for end in (first, second)}
    if not ids:
        return set(), set()
    locked = {row.customer_id for row in resolved.values() if row.customer_id}
    limit = COMPONENT_LIMIT[sender.evidence] + COMPONENT_LIMIT_PER_END * len(ids)
    try:
        return ids, merging.regroup(ids, now=now, locked=locked, limit=limit)
    except graph.ComponentTooLarge as component:
        _delete_links(links)
        if component.oldest:
            reviews.request_for_component(component.oldest, sender.evidence)
    return assigned, merging.regroup(assigned, now=now, locked=locked) if assigned else set()


def _delete_links(links: set[_LinkRow]) -> None:
    """Delete the new links, so that the component stays as it was before this batch.

    The new identifiers then keep their own records.
    """
    if links:
        firsts, seconds, evidences, _ = (list(column) for column in zip(*links, strict=True))
        params = {"firsts": firsts, "seconds": seconds, "evidences": evidences}
        sql.run("delete_links", params)


def _insert_records(
    primary_keys: Iterable[IdentifierKey], resolved: Resolved, now: datetime
) -> dict[IdentifierKey, UUID]:
    """Create a record for each of these identifiers that has none; return the new records."""
    without_record = [
        key for key in primary_keys if key not in resolved or resolved[key].record_id is None
    ]
    new_records = {key: uuid7() for key in without_record}
    if new_records:
        sql.run("insert_records", {"ids": list(new_records.values()), "now": now})
    return new_records


def _assign_records(new_records: dict[IdentifierKey, UUID], resolved: Resolved) -> set[int]:
    """Store the new records of known identifiers; return the ids of these identifiers."""
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
    if not unknown:
        return {}
    owners = new_records | certain
    identifiers = [
        key._asdict() | {"record_id": new_records.get(key), "customer_id": owners.get(key)}
        for key in unknown
    ]
    inserted = sql.rows("insert_identifiers", {"identifiers": sql.json(identifiers), "now": now})
    if len(inserted) != len(unknown):
        raise RetryTransaction
    return {
        key: ResolvedIdentifier(id_, new_records.get(key), owners.get(key), 0)
        for id_, *columns in inserted
        for key in (IdentifierKey(*columns),)
    }


def _insert_links(
    links: LinkPairs, resolved: Resolved, sender: Sender, certain: Set[IdentifierKey]
) -> tuple[set[_LinkRow], set[int]]:
    """Store the links between identifiers of the same event.

    Return the new links that need a regrouping, and the newly linked orders.
    """
    keys_of: dict[_LinkRow, KeyPair] = {}
    for (strongest, other), kind in links.items():
        first, second = sorted((resolved[strongest].id, resolved[other].id))
        keys_of[first, second, sender.evidence, kind] = strongest, other
    new_links = _insert_new_links(keys_of.keys(), sender.source_id)
    orders_linked = {keys_of[link][1] for link in new_links if keys_of[link][1].kind == ORDER}
    to_draw = {
        link
        for link in new_links
        if keys_of[link][1].kind != ORDER and certain.isdisjoint(keys_of[link])
    }
    return to_draw, {resolved[order].id for order in orders_linked - certain}


def _insert_new_links(links: Set[_LinkRow], source_id: int) -> Set[_LinkRow]:
    """Store the links that the database does not contain yet, and return them."""
    if not links:
        return set()
    names = ("firsts", "seconds", "evidences", "kinds")
    columns = (list(column) for column in zip(*links, strict=True))
    new_links = links - set(sql.rows("find_links", dict(zip(names, columns, strict=True))))
    if new_links:
        names = ("first_id", "second_id", "evidence", "kind")
        rows = [dict(zip(names, link, strict=True)) for link in new_links]
        sql.run("insert_links", {"links": sql.json(rows), "source_id": source_id})
    return new_links
