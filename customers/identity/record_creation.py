"""Stores the new identifiers, records and links of a batch of events.

`customers.identity.merging` decides which records are one customer. This module calls it only if
the batch contains new links that may join records.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from customers import sql
from customers.db.retry import RetryTransaction
from customers.identity import graph, link_creation, merging, shortcuts
from customers.identity.addresses import AddressStatement
from customers.identity.evidence import statement_evidence
from customers.identity.families import ORDER
from customers.identity.links import IdentifierKey, LinkKind
from customers.identity.merging import RegroupedRecords
from customers.identity.order_ownership import order_number
from customers.identity.resolution import ResolvedEvents, Tombstones, resolve
from customers.identity.resolved import Resolved, ResolvedIdentifier
from customers.identity.shortcuts import CertainOwners
from customers.identity.statements import (
    StatedEvent,
    Statements,
    links_of,
)
from customers.types import CLAIMED, STATED, VERIFIED, Sender

_log = logging.getLogger(__name__)

# The largest number of joined identifiers that Butler regroups for a new link.
GROUP_LIMIT = 10_000


class StoredIdentifiers(NamedTuple):
    """All identifiers of a batch, the links that the rules refused, and the new placeholders."""

    resolved: Resolved
    # The ids of the links that became contested.
    contested: frozenset[int]
    # The accounts, cards and numbers that turned out to be placeholders.
    placeholders: frozenset[int]
    # The regrouped orders that an event moves.
    moving_orders: frozenset[int]
    # The regrouped orders whose number several sources of their space placed.
    orders_of_several_sources: frozenset[int]


class _Regrouped(NamedTuple):
    """The regrouped identifiers, and what the regrouping changed."""

    ids: Set[int]
    changes: RegroupedRecords


def store_missing(
    events: Sequence[StatedEvent],
    matched: ResolvedEvents,
    sender: Sender,
    now: datetime,
) -> StoredIdentifiers:
    """Store new identifiers, records and links, so that each event of the batch has a record.

    events: each event with its identifiers; it is filed on the first one
    matched: the stored identifiers, and the tombstones of erased ones, whose next periods may begin
    returns: all identifiers of the batch with their records, and what the rules refused
    """
    resolved, tombstones = matched.resolved, matched.tombstones
    open_events = link_creation.without_stored_links(events, matched.cached, sender)
    statements = links_of(open_events, sender)
    keys_by_event = [stated.keys for stated in events]
    unknown = {key for keys in keys_by_event for key in keys if key not in resolved}
    repeated_orders = _lock_order_numbers(keys_by_event, resolved)
    primary_keys = {keys[0] for keys in keys_by_event} | _new_holders(statements)
    new_records = _insert_records(primary_keys, resolved, now)
    assigned = _assign_records(new_records, resolved)
    certain = _certain_owners(statements, sender, new_records, resolved, unknown)
    owners = new_records | certain.records
    resolved |= _insert_identifiers(unknown, new_records, owners, tombstones, sender, now)
    orders = {key for key in unknown if key.kind == ORDER}
    links = link_creation.find_links(statements, resolved, sender)
    to_regroup, linked_orders = link_creation.insert_links(links, resolved, sender, certain)
    link_creation.cache_links(open_events, links, matched.cached, sender)
    to_regroup |= link_creation.link_equal_numbers(unknown, resolved, sender)
    linked_orders |= {resolved[key].id for key in repeated_orders & orders}
    has_changes = assigned or linked_orders or to_regroup
    addresses = link_creation.address_statements(events, resolved, sender) if has_changes else []
    regrouped = _regroup(assigned | linked_orders, to_regroup, resolved, addresses, now)
    changes = regrouped.changes
    resolved = _resolve_again(resolved, regrouped, sender)
    return StoredIdentifiers(
        resolved,
        changes.contested,
        changes.placeholders,
        changes.moving_orders,
        changes.orders_of_several_sources,
    )


def _certain_owners(
    statements: Statements,
    sender: Sender,
    new_records: dict[IdentifierKey, UUID],
    resolved: Resolved,
    unknown: set[IdentifierKey],
) -> CertainOwners:
    if not unknown:
        return CertainOwners({}, {})
    owners = {key: None if row.is_shared else row.customer_id for key, row in resolved.items()}
    return shortcuts.certain_owners(statements, sender, new_records, owners)


def _resolve_again(resolved: Resolved, regrouped: _Regrouped, sender: Sender) -> Resolved:
    """Return all identifiers, after reading again those that the regrouping may have moved."""
    if not regrouped.ids and not regrouped.changes.records:
        return resolved
    stale = [
        key
        for key, row in resolved.items()
        if row.id in regrouped.ids or row.customer_id in regrouped.changes.records
    ]
    return resolved | resolve(stale, sender).resolved if stale else resolved


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
    linked: set[int],
    resolved: Resolved,
    addresses: Sequence[AddressStatement],
    now: datetime,
) -> _Regrouped:
    """Regroup around new links."""
    ids = assigned | linked
    if not ids:
        return _Regrouped(set(), RegroupedRecords(set(), frozenset(), frozenset()))
    locked = {row.customer_id for row in resolved.values() if row.customer_id}
    try:
        regrouped = merging.regroup(
            ids, now=now, locked=locked, limit=GROUP_LIMIT + 50 * len(ids), addresses=addresses
        )
    except graph.ComponentTooLarge as component:
        _log.warning("record %s has too many identifiers, so it gets no more", component.oldest)
        ids = assigned
        regrouped = merging.regroup(ids, now=now, locked=locked)
    return _Regrouped(ids, regrouped)


def _new_holders(statements: Statements) -> set[IdentifierKey]:
    """Return the identifiers to which sources move orders. Each needs a record for the order."""
    return {link.first for link in statements if link.kind == LinkKind.MOVED}


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
    new_records: Mapping[IdentifierKey, UUID],
    owners: Mapping[IdentifierKey, UUID],
    tombstones: Tombstones,
    sender: Sender,
    now: datetime,
) -> Resolved:
    if not unknown:
        return {}
    identifiers = [
        key._asdict()
        | {"record_id": new_records.get(key), "customer_id": owners.get(key)}
        | {"best_evidence": _best_evidence(key, sender)}
        | _period_columns(key, tombstones)
        # In the order of their values, so that a run of the same events can be repeated.
        for key in sorted(unknown)
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


def _best_evidence(key: IdentifierKey, sender: Sender) -> int:
    """Return the evidence of a new identifier. A source states the account of its own token."""
    is_proved_by_token = key.evidence == VERIFIED and sender.evidence == CLAIMED
    return STATED if is_proved_by_token else statement_evidence(sender)


def _period_columns(key: IdentifierKey, tombstones: Tombstones) -> dict[str, object]:
    """Return the start of a period after an erasure, and what the customer had refused."""
    tombstone = tombstones.get(key._replace(period=0)) if key.period else None
    if tombstone is None:
        return {"period_starts_at": None, "refused": ()}
    return {"period_starts_at": tombstone.erased_at, "refused": tombstone.refused}
