"""Stores the links that a batch of events states, as far as they are not stored."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from customers.identity.addresses import AddressStatement
from customers.identity.families import ORDER, is_number
from customers.identity.known_identifiers import KnownIdentifiers, cache_links_after_commit
from customers.identity.link_storage import (
    LinkKey,
    LinkTimes,
    StoredState,
    find_equal_numbers,
    new_link_key,
    store_links,
    stored_states,
    unstored_links,
)
from customers.identity.links import IdentifierKey, LinkKind, pair_of
from customers.identity.resolved import Resolved
from customers.identity.shortcuts import CertainOwners
from customers.identity.statements import (
    LinkStatement,
    StatedEvent,
    Statements,
    link_arguments,
    links_from,
    links_of,
)
from customers.projections import orders
from customers.types import BUTLER_SOURCE_ID, STATED, VERIFIED, Sender


class BatchLinks(NamedTuple):
    """The links of a batch with their times, the statements of them, and those that are stored."""

    times: LinkTimes
    statements: Mapping[LinkKey, LinkStatement]
    keys: Mapping[LinkStatement, LinkKey]
    stored: Mapping[LinkKey, StoredState]


def without_stored_links(
    events: Iterable[StatedEvent], cached: KnownIdentifiers, sender: Sender
) -> list[StatedEvent]:
    """Return the events whose links may not all be stored."""
    return [
        stated
        for stated in events
        if len(stated.keys) > 1
        and not cached.have_links(
            link_arguments(stated.event, stated.keys, sender), stated.event.occurred_at
        )
    ]


def find_links(statements: Statements, resolved: Resolved, sender: Sender) -> BatchLinks:
    """Find the links that are stored."""
    links: LinkTimes = {}
    statement_of: dict[LinkKey, LinkStatement] = {}
    keys: dict[LinkStatement, LinkKey] = {}
    for statement, time in statements.items():
        first, second, kind, evidence = statement
        pair = pair_of(resolved[first].id, resolved[second].id)
        key = keys[statement] = new_link_key((*pair, kind, evidence))
        earlier_time = links.get(key)
        links[key] = time.including(earlier_time) if earlier_time else time
        statement_of[key] = statement
    stored = stored_states(links, sender.source_id) if links else {}
    return BatchLinks(links, statement_of, keys, stored)


def insert_links(
    links: BatchLinks, resolved: Resolved, sender: Sender, certain: CertainOwners
) -> tuple[set[int], set[int]]:
    """Store the links between identifiers of the same event.

    Returns the identifiers to regroup, and the newly linked orders.
    """
    statement_of, stored = links.statements, links.stored
    new = unstored_links(links.times, stored, sender.source_id)
    store_links(new, sender.source_id, {key: certain.states.get(statement_of[key]) for key in new})
    restated = {key for key, state in stored.items() if state.state == "replaced"}
    ids, order_ids = set(), set()
    for key in new.keys() | restated:
        statement = statement_of[key]
        if statement.second.kind == ORDER:
            is_said_again = key not in stored or key.kind == LinkKind.MOVED
            if is_said_again and statement.second not in certain.records:
                order_ids.add(resolved[statement.second].id)
        elif key.evidence >= STATED and statement not in certain.states:
            ids |= {key.first, key.second}
    return ids, order_ids


def cache_links(
    events: Iterable[StatedEvent], links: BatchLinks, cached: KnownIdentifiers, sender: Sender
) -> None:
    """Cache the events all of whose links are stored, and not replaced.

    The last time of a move counts, so events that move orders are not cached. Each proof of a
    customer is stored, so Butler's own events are not cached.
    """
    if not links.stored or sender.source_id == BUTLER_SOURCE_ID:
        return
    since = {
        statement: state.occurred_at
        for statement, key in links.keys.items()
        if (state := links.stored.get(key)) and state.state != "replaced"
    }
    arguments = {
        link_arguments(stated.event, stated.keys, sender)
        for stated in events
        if stated.event.name not in orders.MOVING
    }
    times = {event: [since.get(link) for link in links_from(event)] for event in arguments}
    stored_events = [
        (event, max(filter(None, stored)))
        for event, stored in times.items()
        if stored and all(stored)
    ]
    cache_links_after_commit(cached, stored_events)


def link_equal_numbers(
    unknown: Iterable[IdentifierKey], resolved: Resolved, sender: Sender
) -> set[int]:
    """Link new numbers with equal numbers of the space; return the linked identifiers."""
    prefix = f"{sender.source_id}/"
    numbers = [
        resolved[key].id
        for key in unknown
        if key.evidence == VERIFIED and is_number(key.kind) and key.value.startswith(prefix)
    ]
    links = find_equal_numbers(numbers, sender.source_id)
    store_links(links, sender.source_id, {})
    return {end for key in links for end in key[:2]}


def address_statements(
    events: Sequence[StatedEvent], resolved: Resolved, sender: Sender
) -> list[AddressStatement]:
    """Return the statements of this batch about addresses of accounts."""
    if all(stated.event.kind != "identify" for stated in events):
        return []
    accounts = {
        link[:2]
        for link in links_of(events, sender)
        if is_number(link.first.kind) and link.second.kind == "email" and link.evidence >= STATED
    }
    return [
        AddressStatement(
            resolved[account].id,
            resolved[mailbox].id,
            sender.source_id,
            stated.event.occurred_at,
            stated.arrival,
        )
        for stated in events
        if accounts and stated.event.kind == "identify"
        for account in stated.keys
        for mailbox in stated.keys
        if (account, mailbox) in accounts
    ]
