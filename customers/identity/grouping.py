"""Who is who: from the links between identifiers to the groups that are one customer.

Pure, and a function of the set of links alone: the order in which they came does not matter,
so neither does a delay, a repetition or a rebuild. docs/adr/0008 has the reasons.

1. A value that leads to two accounts, or to too many others, is shared: it merges nobody.
2. What a person merged stays merged; what a person separated stays separate.
3. Verified links merge, strongest first, up to the limits; beyond them a person decides.
4. Claimed links merge anonymous activity only: never anything that holds a proof.
5. An order number merges nobody: an order belongs to the group that it was placed for.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from customers.identity.normalize import rank
from customers.types import CLAIMED, VERIFIED, WEAK_KINDS

# How many of a kind one customer may have before a person is asked. Orders are not counted.
ORDER = "order"
LIMITS = {"user_id": 1, "anonymous_id": 100, "device": 20, "card": 8, "email": 6, "phone": 6}
EXTERNAL_LIMIT = 3
UNLIMITED = frozenset({ORDER})
# A value seen with more than this many others of one kind is an office phone or a kiosk.
MAX_NEIGHBORS = 20
_COUNTED_NEIGHBORS = frozenset({"card", "email", "phone"})

# Kinds of links, as the database stores them: customers.models.LinkKind.
SEEN, PLACED, MERGED, SEPARATED = "seen", "placed", "joined", "parted"


class IdentifierKey(NamedTuple):
    """An identifier by its normalized value, whether the database has it or not."""

    kind: str
    value: str
    evidence: int


@dataclass(frozen=True, slots=True)
class IdentifierNode:
    """One identifier in the graph of links."""

    id: int
    kind: str
    value: str
    evidence: int

    @property
    def is_proof(self) -> bool:
        return self.evidence == VERIFIED and self.kind not in WEAK_KINDS

    @property
    def sort_key(self) -> tuple[int, str, str, int]:
        """Sort the strongest kind first."""
        return rank(self.kind), self.kind, self.value, self.evidence


@dataclass(frozen=True, slots=True)
class IdentifierLink:
    """A link between two identifiers: seen together, or merged or separated by a person.

    The kind "placed" links an order to the identifier that it was placed with.
    """

    first: int
    second: int
    evidence: int
    kind: str = SEEN

    @property
    def ends(self) -> frozenset[int]:
        return frozenset({self.first, self.second})

    @property
    def is_verified(self) -> bool:
        return self.evidence == VERIFIED


@dataclass(frozen=True, slots=True)
class RefusedLink:
    """A link that would have merged two customers, and why it did not."""

    link: IdentifierLink
    reason: str


@dataclass(frozen=True, slots=True)
class Grouping:
    groups: Sequence[frozenset[int]]
    shared: frozenset[int]
    refused_links: Sequence[RefusedLink]


@dataclass(slots=True)
class _Group:
    members: set[int]
    kinds: Counter[str]
    has_proof: bool
    separated: set[int] = field(default_factory=set)


def primary_rank(kind: str, evidence: int) -> tuple[bool, int]:
    """Return the sort key of the identifiers of an event: the first one is its primary identifier.

    Who only claims is known by the device in hand, not by the name they give.
    """
    return evidence == CLAIMED and kind not in WEAK_KINDS, rank(kind)


def group(
    nodes: Iterable[IdentifierNode],
    links: Iterable[IdentifierLink],
    shared_before: Iterable[int] = (),
) -> Grouping:
    """Return the groups of identifiers that are one customer each.

    What was shared stays shared: more links never make a value less so, and the links of
    a shared value need not be in `links`. An order is in a group of its own, except where a
    person merged it with others; `order_ownership` says to which group it belongs.
    """
    by_id = {node.id: node for node in nodes}
    links = [link for link in links if link.first in by_id and link.second in by_id]
    groups = _Groups(by_id.values(), [link for link in links if link.kind == SEPARATED])
    for link in sorted((link for link in links if link.kind == MERGED), key=_sort_key(by_id)):
        groups.merge(link)
    orders = {node.id for node in by_id.values() if node.kind == ORDER}
    seen_links = [link for link in links if link.kind == SEEN and orders.isdisjoint(link.ends)]
    shared = frozenset(shared_before) - orders
    shared |= set(_shared(by_id, [link for link in seen_links if link.is_verified], groups))
    refused_links = _merge_seen(by_id, seen_links, groups, shared)
    return Grouping(groups.as_sets(), shared, refused_links)


def _merge_seen(
    by_id: Mapping[int, IdentifierNode],
    links: Sequence[IdentifierLink],
    groups: "_Groups",
    shared: frozenset[int],
) -> list[RefusedLink]:
    """Merge by links that were seen, the strongest first; return those that the rules refuse."""
    # What is shared by claims alone stops claims alone: whoever claims a stranger's card
    # does not make that card useless to its owner.
    shared_by_claims = shared | set(_shared(by_id, links, groups))
    return [
        RefusedLink(link, reason)
        for link in sorted(links, key=_sort_key(by_id))
        if link.ends.isdisjoint(shared if link.is_verified else shared_by_claims)
        if (reason := groups.try_merge(link))
    ]


def _sort_key(
    by_id: Mapping[int, IdentifierNode],
) -> Callable[[IdentifierLink], tuple[object, ...]]:
    """Sort verified links first, then by what they link, never by when they came."""

    def key(link: IdentifierLink) -> tuple[object, ...]:
        ends = sorted((by_id[link.first].sort_key, by_id[link.second].sort_key))
        return -link.evidence, *ends

    return key


def _shared(
    by_id: Mapping[int, IdentifierNode], links: Iterable[IdentifierLink], groups: "_Groups"
) -> Iterator[int]:
    """Find the values that lead to several accounts, or to too many other values.

    Accounts that a person merged count as one, and so do addresses that were.
    """
    neighbors: dict[int, set[int]] = {}
    for link in links:
        neighbors.setdefault(link.first, set()).add(link.second)
        neighbors.setdefault(link.second, set()).add(link.first)
    for id_, others in neighbors.items():
        distinct = {
            (by_id[other].kind, by_id[other].evidence, groups.group_id(other)) for other in others
        }
        kinds = Counter((kind, evidence) for kind, evidence, _ in distinct)
        accounts = max(kinds["user_id", VERIFIED], kinds["user_id", CLAIMED])
        counts = (n for (kind, _), n in kinds.items() if kind in _COUNTED_NEIGHBORS)
        is_crowded = max(counts, default=0) > MAX_NEIGHBORS
        if by_id[id_].kind != "user_id" and (accounts > 1 or is_crowded):
            yield id_


class _Groups:
    """Groups that grow as links are added, each with the identifiers that may not be in it."""

    def __init__(
        self, nodes: Iterable[IdentifierNode], separating_links: Iterable[IdentifierLink]
    ) -> None:
        self._group_of = {
            node.id: _Group({node.id}, Counter({node.kind: 1}), node.is_proof) for node in nodes
        }
        for link in separating_links:
            self._group_of[link.first].separated.add(link.second)
            self._group_of[link.second].separated.add(link.first)

    def group_id(self, node_id: int) -> int:
        """Return the same number for all nodes that are merged so far."""
        return id(self._group_of[node_id])

    def as_sets(self) -> list[frozenset[int]]:
        unique = {id(group): group for group in self._group_of.values()}
        return [frozenset(group.members) for group in unique.values()]

    def try_merge(self, link: IdentifierLink) -> str:
        """Merge two groups if the rules allow it; return why not where a person should decide."""
        first, second = self._group_of[link.first], self._group_of[link.second]
        if first is second:
            return ""
        if link.evidence == CLAIMED and (first.has_proof or second.has_proof):
            return ""
        if first.separated & second.members:
            return ""
        if kind := _kind_over_limit(first.kinds, second.kinds):
            return f"limit:{kind}"
        self.merge(link)
        return ""

    def merge(self, link: IdentifierLink) -> None:
        """Merge two groups, unless a person separated them."""
        first, second = self._group_of[link.first], self._group_of[link.second]
        if first is second or first.separated & second.members:
            return
        if len(first.members) < len(second.members):
            first, second = second, first
        first.members |= second.members
        for kind, count in second.kinds.items():
            first.kinds[kind] += count
        first.separated |= second.separated
        first.has_proof |= second.has_proof
        for member in second.members:
            self._group_of[member] = first


def _kind_over_limit(first: Counter[str], second: Counter[str]) -> str:
    """Return the kind of which a merge would make too many; what a person merged may have."""
    for kind in first.keys() & second.keys() - UNLIMITED:
        if first[kind] + second[kind] > LIMITS.get(kind, EXTERNAL_LIMIT):
            return kind
    return ""
