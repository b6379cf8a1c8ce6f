"""Stores links between identifiers, and finds the links that are stored."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from customers import sql
from customers.identity.links import LinkKind, LinkTime, equal_number_time, pair_of
from customers.types import BUTLER_SOURCE_ID, CONFIRMED, NOTED, STATED


class LinkKey(NamedTuple):
    """A link as the database stores it, without its source."""

    first: int
    second: int
    kind: str
    evidence: int


type LinkTimes = dict[LinkKey, LinkTime]


# The class methods `_make` would take twice as long, for each link of each batch.
new_link_key = partial(tuple.__new__, LinkKey)


class StoredState(NamedTuple):
    """A stored link: its earliest time, its last proof if it is later, and its state."""

    occurred_at: datetime
    last_proved_at: datetime | None
    state: str


def is_own_proof(source_id: int, evidence: int) -> bool:
    """Tell whether a customer proved both ends of a link in one session of Butler."""
    return source_id == BUTLER_SOURCE_ID and evidence >= CONFIRMED


def _keeps_last_time(key: LinkKey, source_id: int) -> bool:
    """Tell whether the last time of a link counts, and not only the earliest."""
    return key.kind == LinkKind.MOVED or is_own_proof(source_id, key.evidence)


def stored_states(links: Collection[LinkKey], source_id: int) -> dict[LinkKey, StoredState]:
    """Return the stored ones of these links.

    A link "placed" between an order and an identifier also counts as the link "seen".
    """
    searched = [
        *links,
        # The links of orders are noted.
        *(
            link._replace(kind=LinkKind.PLACED)
            for link in links
            if link.evidence == NOTED and link.kind == LinkKind.TOGETHER
        ),
    ]
    stored: dict[LinkKey, StoredState] = {}
    for row in sql.rows("find_links", {"links": sql.json(searched), "source_id": source_id}):
        key = new_link_key(row[:4])
        stored[key] = StoredState(*row[4:])
        if key.kind == LinkKind.PLACED:
            stored.setdefault(key._replace(kind=LinkKind.TOGETHER), stored[key])
    return stored


def unstored_links(
    links: LinkTimes, stored: Mapping[LinkKey, StoredState], source_id: int
) -> LinkTimes:
    """Return the links that are not stored, or only with a later time or an earlier proof."""
    return {
        key: time
        for key, time in links.items()
        if (state := stored.get(key)) is None
        or time.occurred_at < state.occurred_at
        or (
            _keeps_last_time(key, source_id)
            and time.last_at > (state.last_proved_at or state.occurred_at)
        )
    }


def store_links(links: LinkTimes, source_id: int, states: Mapping[LinkKey, str | None]) -> None:
    """Store links, or their earlier times and later proofs.

    A link without a state in `states` is filed.
    """
    if not links:
        return
    rows = [
        {
            "first_id": key.first,
            "second_id": key.second,
            "kind": key.kind,
            "evidence": key.evidence,
            "occurred_at": time.occurred_at,
            "arrival": time.arrival,
            "last_proved_at": time.last_at if _keeps_last_time(key, source_id) else None,
            "state": states.get(key) or "filed",
        }
        for key, time in links.items()
    ]
    sql.run("insert_links", {"links": sql.json(rows), "source_id": source_id})


def find_equal_numbers(ids: Sequence[int], source_id: int) -> LinkTimes:
    """Return the links of these numbers of a source with equal numbers of its space."""
    if not ids:
        return {}
    params = {"ids": ids, "source_id": source_id}
    return {
        LinkKey(*pair_of(own, other), LinkKind.EQUAL, STATED): equal_number_time(source_id, sibling)
        for own, other, sibling in sql.rows("find_equal_numbers", params)
    }
