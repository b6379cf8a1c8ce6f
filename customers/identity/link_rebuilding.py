"""Rebuilds links from the events on the logs, where they are missing or have a later time.

The rules are those for new events, in `customers.identity.statements`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from datetime import datetime
from typing import NamedTuple

from customers import sql
from customers.events.internal_sources import sender_of_source
from customers.identity.families import ORDER, is_number
from customers.identity.link_storage import (
    LinkKey,
    LinkTimes,
    find_equal_numbers,
    store_links,
    stored_states,
    unstored_links,
)
from customers.identity.links import IdentifierKey, LinkKind, pair_of
from customers.identity.statements import StatedEvent, links_of
from customers.models import Link, Source
from customers.types import (
    CLAIMED,
    CONFIRMED,
    NOTED,
    OPENED,
    STATED,
    VERIFIED,
    IncomingEvent,
    Sender,
)

_STRENGTHS = (CLAIMED, NOTED, STATED, OPENED, CONFIRMED)


class RebuiltLinks(NamedTuple):
    """The identifiers whose links changed, and the number of new or earlier links."""

    ids: Set[int]
    links: int


class _Statement(NamedTuple):
    """A statement of the events of one source, with its earliest and its last time."""

    source_id: int
    evidence: int
    kind: str
    name: str
    email_verified: str | None
    identifier_ids: list[int]
    has_own_numbers: bool
    occurred_at: datetime
    arrival: int
    last_at: datetime

    def naming(self, own_numbers: Mapping[tuple[int, int], int]) -> "_Statement":
        """Return the statement with the numbers that its source has today."""
        if self.has_own_numbers:
            return self
        ids = [own_numbers.get((id_, self.source_id), id_) for id_ in self.identifier_ids]
        return self._replace(identifier_ids=ids)

    def stated_event(self, keys: Mapping[int, IdentifierKey]) -> StatedEvent:
        """Return the event as the rules read it, without its body."""
        event = IncomingEvent(
            message_id="",
            kind=self.kind,
            name=self.name,
            identifiers=(),
            occurred_at=self.occurred_at,
            body=b"",
            body_hash=b"",
            traits={"email_verified": self.email_verified},
        )
        named = tuple(keys[id_] for id_ in self.identifier_ids)
        return StatedEvent(event, named, self.arrival, self.last_at)


def rebuild_links(ids: Iterable[int]) -> RebuiltLinks:
    """Store the links that the events of these identifiers state, as far as they are missing.

    A stored link with stronger evidence stays. New links do nothing until the caller regroups the
    returned identifiers.
    """
    ids = sorted(ids)
    statements = [_Statement(*row) for row in sql.rows("read_statements", {"ids": ids})]
    sources = Source.objects.select_related("space").in_bulk()
    keys = _read_keys({id_ for statement in statements for id_ in statement.identifier_ids})
    own_numbers = _own_numbers(statements, keys)
    keys |= _read_keys(set(own_numbers.values()))
    by_sender: defaultdict[tuple[int, int], list[_Statement]] = defaultdict(list)
    for statement in statements:
        by_sender[statement.source_id, statement.evidence].append(statement.naming(own_numbers))
    batches = [_link_equal_numbers(ids)]
    for (source_id, evidence), stated in by_sender.items():
        sender = sender_of_source(sources[source_id], is_trusted=evidence > CLAIMED)
        batches.append(_store_missing(_links(stated, keys, sender), source_id, keys))
    return RebuiltLinks(
        frozenset().union(*(batch.ids for batch in batches)),
        sum(batch.links for batch in batches),
    )


def _links(
    statements: Collection[_Statement], keys: Mapping[int, IdentifierKey], sender: Sender
) -> LinkTimes:
    """Return the links that these statements of a sender make by the rules for new events."""
    ids = {keys[id_]: id_ for statement in statements for id_ in statement.identifier_ids}
    links = links_of((statement.stated_event(keys) for statement in statements), sender)
    return {
        LinkKey(*pair_of(ids[link.first], ids[link.second]), link.kind, link.evidence): time
        for link, time in links.items()
    }


def _read_keys(ids: Set[int]) -> dict[int, IdentifierKey]:
    rows = sql.rows("read_identifier_keys", {"ids": sorted(ids)}) if ids else []
    return {id_: IdentifierKey(*columns) for id_, *columns in rows}


def _own_numbers(
    statements: Iterable[_Statement], keys: Mapping[int, IdentifierKey]
) -> dict[tuple[int, int], int]:
    """Return the number that each source has today, by the number on an old event and the source.

    Before numbers named their source, events of all sources named one identifier.
    """
    searched = {
        (id_, statement.source_id)
        for statement in statements
        if not statement.has_own_numbers
        for id_ in statement.identifier_ids
        if is_number(keys[id_].kind)
        if not keys[id_].value.startswith(f"{statement.source_id}/")
    }
    if not searched:
        return {}
    numbers, source_ids = zip(*sorted(searched), strict=True)
    rows = sql.rows("read_own_numbers", {"ids": list(numbers), "sources": list(source_ids)})
    return {(number, source_id): own for number, source_id, own in rows}


def _store_missing(
    links: LinkTimes, source_id: int, keys: Mapping[int, IdentifierKey]
) -> RebuiltLinks:
    """Store links that are not stored with this or stronger evidence.

    Earlier times and later proofs of stored links are stored, too.
    """
    searched = {
        link._replace(evidence=evidence)
        for link in links
        for evidence in _STRENGTHS
        if evidence >= link.evidence
    }
    stored = stored_states(searched, source_id)
    strongest: dict[tuple[int, int, str], int] = {}
    for link in stored:
        strongest[link[:3]] = max(link.evidence, strongest.get(link[:3], 0))
    missing = {
        link: time
        for link, time in unstored_links(links, stored, source_id).items()
        if strongest.get(link[:3], 0) <= link.evidence
    }
    # As contested links, they are read when their ends are regrouped.
    states: dict[LinkKey, str | None] = {
        link: "contested"
        for link in missing
        if link.evidence >= STATED and ORDER not in (keys[link.first].kind, keys[link.second].kind)
    }
    store_links(missing, source_id, states)
    return RebuiltLinks({end for link in missing for end in link[:2]}, len(missing))


def _link_equal_numbers(ids: Iterable[int]) -> RebuiltLinks:
    """Link these numbers with equal numbers of their spaces."""
    by_source: defaultdict[int, list[int]] = defaultdict(list)
    for id_, key in _read_keys(set(ids)).items():
        source_id, is_split, _ = key.value.partition("/")
        if is_number(key.kind) and key.evidence == VERIFIED and is_split:
            by_source[int(source_id)].append(id_)
    return link_equal_numbers(by_source)


def link_equal_numbers(ids_by_source: Mapping[int, Sequence[int]]) -> RebuiltLinks:
    """Link numbers of these sources with equal numbers of their spaces, if they are not linked.

    Returns the ends of a stored link that does nothing, too: a source may be back in its space.
    """
    changed: set[int] = set()
    count = 0
    for source_id, numbers in ids_by_source.items():
        links = find_equal_numbers(numbers, source_id)
        stored = _stored_equal(links)
        missing = {link: time for link, time in links.items() if link[:2] not in stored}
        store_links(missing, source_id, dict.fromkeys(missing, "contested"))
        idle = {link for link in links if stored.get(link[:2]) == "filed"}
        changed |= {end for link in missing.keys() | idle for end in link[:2]}
        count += len(missing)
    return RebuiltLinks(changed, count)


def _stored_equal(links: LinkTimes) -> dict[tuple[int, int], str]:
    """Return the states of the stored links between equal numbers, by their ends."""
    firsts = {link.first for link in links}
    rows = Link.objects.filter(first_id__in=firsts, kind=LinkKind.EQUAL)
    return {
        (first, second): state
        for first, second, state in rows.values_list("first_id", "second_id", "state")
    }
