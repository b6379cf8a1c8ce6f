"""Groups linked identifiers into customers. Pure.

The groups depend only on the set of links. The order of arrival, delays, repetitions and rebuilds
do not change them. docs/adr/0008 gives the reasons for the rules:

1. A value that leads to two accounts, or to too many other values, is shared. It merges no records.
2. Records that staff merged stay merged. Records that staff separated stay separate.
3. Verified links merge, strongest first, up to the limits. Above the limits, staff decide.
4. Claimed links merge only anonymous activity, and never a group with a verified identifier.
5. An order number merges no customers. An order belongs to the group that it was placed for.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from customers.identity.normalize import rank
from customers.types import CLAIMED, VERIFIED, WEAK_KINDS

# The number of identifiers of each kind that one customer may have before Butler asks staff.
# Orders are unlimited.
ORDER = "order"
LIMITS = {"user_id": 1, "anonymous_id": 100, "device": 20, "card": 8, "email": 6, "phone": 6}
EXTERNAL_LIMIT = 3
UNLIMITED = frozenset({ORDER})
# A value that was seen with more than this many others of one kind is shared, such as an office
# phone or a kiosk.
MAX_NEIGHBORS = 20
_COUNTED_NEIGHBORS = frozenset({"card", "email", "phone"})

# Kinds of links, as the database stores them: customers.models.LinkKind.
SEEN, PLACED, MERGED, SEPARATED = "seen", "placed", "joined", "parted"


class IdentifierKey(NamedTuple):
    """An identifier with its normalized value. The database may or may not contain it."""

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
        """Tell whether this is a verified identifier of a person, not of a device."""
        return self.evidence == VERIFIED and self.kind not in WEAK_KINDS

    @property
    def sort_key(self) -> tuple[int, str, str, int]:
        """The key for sorting: the strongest kind comes first."""
        return rank(self.kind), self.kind, self.value, self.evidence


@dataclass(frozen=True, slots=True)
class IdentifierLink:
    """A link between two identifiers: seen together, or merged or separated by staff.

    A link of the kind "placed" connects an order with the identifier that placed it.
    """

    first: int
    second: int
    evidence: int
    kind: str = SEEN

    @property
    def ends(self) -> frozenset[int]:
        """The ids of the two linked identifiers, without an order."""
        return frozenset({self.first, self.second})

    @property
    def is_verified(self) -> bool:
        return self.evidence == VERIFIED


@dataclass(frozen=True, slots=True)
class RefusedLink:
    """A link that did not merge two customers, and the rule that refused it."""

    link: IdentifierLink
    reason: str


@dataclass(frozen=True, slots=True)
class Grouping:
    """The groups of identifiers, the shared identifiers, and the links that the rules refused."""

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

    The primary identifier of an event with claims only is its device, not the claimed person.
    """
    return evidence == CLAIMED and kind not in WEAK_KINDS, rank(kind)


def group(
    nodes: Iterable[IdentifierNode],
    links: Iterable[IdentifierLink],
    shared_before: Iterable[int] = (),
) -> Grouping:
    """Group the identifiers so that each group is one customer.

    Shared values stay shared, because more links cannot make a value less shared. The links of a
    shared value may be missing in `links`. Each order forms a separate group, unless staff merged
    it with other identifiers; `order_ownership` computes the group that it belongs to.
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
    """Merge by links of the kind "seen", the strongest first; return the refused links."""
    # A value that is shared only because of claims stops only claimed links. So a false claim to
    # a stranger's card does not break the verified links of that card.
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
    """Return a sort key that puts verified links first and ignores the time of arrival."""

    def key(link: IdentifierLink) -> tuple[object, ...]:
        ends = sorted((by_id[link.first].sort_key, by_id[link.second].sort_key))
        return -link.evidence, *ends

    return key


def _shared(
    by_id: Mapping[int, IdentifierNode], links: Iterable[IdentifierLink], groups: "_Groups"
) -> Iterator[int]:
    """Yield the values that lead to several accounts, or to too many other values.

    Accounts or addresses that staff merged count as one.
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
    """Groups that grow as links are added. Each keeps the identifiers it must not contain."""

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
        """Return a number that is equal for all nodes of one group."""
        return id(self._group_of[node_id])

    def as_sets(self) -> list[frozenset[int]]:
        """Return the identifier ids of each group."""
        unique = {id(group): group for group in self._group_of.values()}
        return [frozenset(group.members) for group in unique.values()]

    def try_merge(self, link: IdentifierLink) -> str:
        """Merge two groups if the rules allow it; return the reason if staff have to decide."""
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
        """Merge two groups, unless staff separated them."""
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
    """Return a kind whose limit a merge of these groups would exceed; empty if there is none."""
    for kind in first.keys() & second.keys() - UNLIMITED:
        if first[kind] + second[kind] > LIMITS.get(kind, EXTERNAL_LIMIT):
            return kind
    return ""
