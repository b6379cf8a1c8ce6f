"""Stores links between identifiers, and finds the links that are stored."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from customers import sql
from customers.identity.links import LinkKind, equal_number_order, pair_of
from customers.types import STATED


class LinkKey(NamedTuple):
    """A link as the database stores it, without its source."""

    first: int
    second: int
    kind: str
    evidence: int


# The time and arrival number of the earliest statement of each link.
type LinkTimes = dict[LinkKey, tuple[datetime, int]]


def stored_states(links: Iterable[LinkKey], source_id: int) -> dict[LinkKey, tuple[datetime, str]]:
    """Return the earliest time and the state of those of these links that are stored.

    A link "placed" between an order and an identifier also counts as the link "seen".
    """
    names = ("first_id", "second_id", "kind", "evidence")
    searched = [dict(zip(names, link, strict=True)) for link in links]
    searched += [
        link | {"kind": LinkKind.PLACED} for link in searched if link["kind"] == LinkKind.TOGETHER
    ]
    params = {"links": sql.json(searched), "source_id": source_id}
    stored: dict[LinkKey, tuple[datetime, str]] = {}
    for *columns, occurred_at, state in sql.rows("find_links", params):
        key = LinkKey(*columns)
        stored[key] = occurred_at, state
        if key.kind == LinkKind.PLACED:
            stored.setdefault(key._replace(kind=LinkKind.TOGETHER), (occurred_at, state))
    return stored


def store_links(links: LinkTimes, source_id: int, states: Mapping[LinkKey, str | None]) -> None:
    """Store links, or their earlier times. A link without a state in `states` is filed."""
    if not links:
        return
    rows = [
        {
            "first_id": key.first,
            "second_id": key.second,
            "kind": key.kind,
            "evidence": key.evidence,
            "occurred_at": occurred_at,
            "arrival": arrival,
            "state": states.get(key) or "filed",
        }
        for key, (occurred_at, arrival) in links.items()
    ]
    sql.run("insert_links", {"links": sql.json(rows), "source_id": source_id})


def find_equal_numbers(ids: Sequence[int], source_id: int) -> LinkTimes:
    """Return the links of these numbers of a source with equal numbers of its space."""
    if not ids:
        return {}
    params = {"ids": ids, "source_id": source_id}
    return {
        LinkKey(*pair_of(own, other), LinkKind.EQUAL, STATED): equal_number_order(
            source_id, sibling
        )
        for own, other, sibling in sql.rows("find_equal_numbers", params)
    }
