"""Warnings about statements of a batch that the rules refused, for the operator of its source.

If two sources of one space seem to number their customers separately, the cases are counted, too.
Staff answer that question once: `customers.actions.numbering`.
"""

from collections.abc import Sequence, Set
from typing import NamedTuple

from customers import sql
from customers.identity.links import LinkKind, pair_of
from customers.identity.resolved import Resolved
from customers.identity.statements import STATEMENTS, StatedEvent, links_of
from customers.types import MAIN_SPACE_ID, WEAK_KINDS, IngestWarning, Sender

# The code of the warning. Both records stay as they are, so nothing is lost.
CONTESTED = "contested"


class _ContestedLink(NamedTuple):
    """A refused link of the sender, as the database stores it."""

    first: int
    second: int
    kind: str
    evidence: int


def count_contests(
    contested: Set[int], events: Sequence[StatedEvent], resolved: Resolved, sender: Sender
) -> list[IngestWarning]:
    """Count the new contested links; return the warning about refused statements of the events.

    contested: the ids of the links that became contested when the events were stored
    resolved: all identifiers of the events

    Two customers of one browser are ordinary, so links with browsers and devices do not count.
    """
    if not contested:
        return []
    params = {"ids": sorted(contested), "source_id": sender.source_id}
    refused = {_ContestedLink(*row) for row in sql.rows("count_contests", params)}
    if sender.is_public or not refused:
        return []
    equal_ids = _equal_numbers(refused, sender)
    examples = [
        stated.event.message_id
        for stated in events
        if not refused.isdisjoint(_stated_links(stated, resolved, sender))
        or _states_number(stated, equal_ids, resolved)
    ]
    return [IngestWarning(CONTESTED, len(examples), examples[0])] if examples else []


def _equal_numbers(refused: Set[_ContestedLink], sender: Sender) -> set[int]:
    """Return the numbers of a named space that another source of it gave to another customer.

    In `main`, equal numbers of two sources say nothing.
    """
    if sender.space_id == MAIN_SPACE_ID:
        return set()
    equal = [link for link in refused if link.kind == LinkKind.EQUAL]
    return {id_ for link in equal for id_ in (link.first, link.second)}


def _states_number(stated: StatedEvent, ids: Set[int], resolved: Resolved) -> bool:
    """Tell whether a statement is about one of these numbers."""
    return stated.event.kind in STATEMENTS and any(resolved[key].id in ids for key in stated.keys)


def _stated_links(stated: StatedEvent, resolved: Resolved, sender: Sender) -> set[_ContestedLink]:
    return {
        _ContestedLink(
            *pair_of(resolved[link.first].id, resolved[link.second].id), link.kind, link.evidence
        )
        for link in links_of([stated], sender)
        if WEAK_KINDS.isdisjoint((link.first.kind, link.second.kind))
    }
