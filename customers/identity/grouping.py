"""Who is who: from the links between identifiers to the groups that are one customer.

Pure, and a function of the set of links alone: the order in which they came does not matter,
so neither does a delay, a repetition or a rebuild. docs/adr/0008 has the reasons.

1. A value that leads to two accounts, or to too many others, is shared: it joins nobody.
2. What a person joined stays joined; what a person parted stays apart.
3. Verified links join, strongest first, up to the limits; beyond them a person decides.
4. Claimed links join anonymous activity only: never anything that holds a proof.
5. An order number joins nobody: an order belongs to the group that it was placed for.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from customers.identity.normalize import rank
from customers.types import CLAIMED, VERIFIED, WEAK_KINDS

# How many of a kind one customer may have before a person is asked. Orders are not counted.
ORDER = "order"
LIMITS = {"user_id": 1, "anonymous_id": 100, "device": 20, "card": 8, "email": 6, "phone": 6}
LIMIT_OF_OTHER_SYSTEMS = 3
UNLIMITED = frozenset({ORDER})
# A value seen with more than this many others of one kind is an office phone or a kiosk.
CROWD = 20
_CROWDING = frozenset({"card", "email", "phone"})


@dataclass(frozen=True, slots=True)
class Atom:
    """One identifier, as the graph sees it."""

    id: int
    kind: str
    value: str
    evidence: int

    @property
    def is_proof(self) -> bool:
        return self.evidence == VERIFIED and self.kind not in WEAK_KINDS

    @property
    def order(self) -> tuple[int, str, str, int]:
        return rank(self.kind), self.kind, self.value, self.evidence


@dataclass(frozen=True, slots=True)
class Tie:
    """A link between two identifiers: seen together, or joined or parted by a person.

    The kind "placed" links an order to the identifier that it was placed with.
    """

    left: int
    right: int
    evidence: int
    kind: str = "seen"


@dataclass(frozen=True, slots=True)
class Held:
    """A link that would have joined two customers, and why it did not."""

    tie: Tie
    reason: str


@dataclass(frozen=True, slots=True)
class Grouping:
    groups: Sequence[frozenset[int]]
    shared: frozenset[int]
    held: Sequence[Held]


@dataclass(slots=True)
class _Group:
    members: set[int]
    kinds: Counter[str]
    has_proof: bool
    apart: set[int] = field(default_factory=set)


def filing_order(kind: str, evidence: int) -> tuple[bool, int]:
    """Sort the identifiers of an event: it is filed under the first.

    Who only claims is known by the device in hand, not by the name they give.
    """
    return evidence == CLAIMED and kind not in WEAK_KINDS, rank(kind)


def group(
    atoms: Iterable[Atom], ties: Iterable[Tie], shared_before: Iterable[int] = ()
) -> Grouping:
    """Return the groups of identifiers that are one customer each.

    What was shared stays shared: more links never make a value less so, and the ties behind
    a shared value need not be in `ties`. An order is in a group of its own, except where a
    person joined it to others; `order_owner` says to which group it belongs.
    """
    by_id = {atom.id: atom for atom in atoms}
    known = [tie for tie in ties if tie.left in by_id and tie.right in by_id]
    forest = _Forest(by_id.values(), [tie for tie in known if tie.kind == "parted"])
    for tie in sorted((t for t in known if t.kind == "joined"), key=_by_atoms(by_id)):
        forest.join(tie)

    orders = {atom.id for atom in by_id.values() if atom.kind == ORDER}
    seen = [tie for tie in known if tie.kind == "seen" and orders.isdisjoint((tie.left, tie.right))]
    proved = [tie for tie in seen if tie.evidence == VERIFIED]
    shared = frozenset(_shared(by_id, proved, forest)) | (frozenset(shared_before) - orders)
    # What is shared by claims alone stops claims alone: whoever claims a stranger's card
    # does not make that card useless to its owner.
    doubtful = shared | frozenset(_shared(by_id, seen, forest))
    held = [
        Held(tie, reason)
        for tie in sorted(seen, key=_by_atoms(by_id))
        if not {tie.left, tie.right} & (shared if tie.evidence == VERIFIED else doubtful)
        if (reason := forest.try_join(tie))
    ]
    return Grouping(forest.groups(), shared, held)


class Naming(NamedTuple):
    """One identifier that was stated with an order, and the record that it leads to today."""

    # "placed" by the statement that placed the order, "seen" by any other, "parted" by a person.
    kind: str
    is_weak: bool
    owner: UUID | None


type Owner = tuple[UUID | None, bool]


def order_number(value: str) -> str:
    """Return the number of an order without its source."""
    return value.partition("/")[2]


def order_owner(namings: Iterable[Naming], others: Sequence[Owner] = ()) -> Owner:
    """Return the record that an order belongs to, and whether that is in doubt.

    The statement that placed the order counts first; then the only order of another source that
    has the same number; then any other statement. A person counts before a browser or a device.
    Two records that come first equally are a doubt, and the order belongs to neither.

    others: what this function says of the orders of other sources that somebody placed
    """
    namings = list(namings)
    parted = {naming.owner for naming in namings if naming.kind == "parted"}

    def named(kind: str) -> Owner:
        for is_weak in (False, True):
            owners = {n.owner for n in namings if (n.kind, n.is_weak) == (kind, is_weak)}
            owners -= parted | {None}
            if owners:
                return (owners.pop(), False) if len(owners) == 1 else (None, True)
        return None, False

    owner, is_doubtful = named("placed")
    if owner or is_doubtful:
        return owner, is_doubtful
    if others:
        only = others[0][0] if len(others) == 1 else None
        return (only, False) if only and only not in parted else (None, True)
    return named("seen")


def _by_atoms(by_id: Mapping[int, Atom]) -> Callable[[Tie], tuple[object, ...]]:
    """Sort verified links first, then by what they link, never by when they came."""

    def key(tie: Tie) -> tuple[object, ...]:
        ends = sorted((by_id[tie.left].order, by_id[tie.right].order))
        return -tie.evidence, *ends

    return key


def _shared(by_id: Mapping[int, Atom], seen: Iterable[Tie], forest: "_Forest") -> Iterator[int]:
    """Find the values that lead to several accounts, or to a crowd.

    Accounts that a person joined count as one, and so do addresses that were.
    """
    neighbors: dict[int, set[int]] = {}
    for tie in seen:
        neighbors.setdefault(tie.left, set()).add(tie.right)
        neighbors.setdefault(tie.right, set()).add(tie.left)
    for one, others in neighbors.items():
        people = {
            (by_id[other].kind, by_id[other].evidence, forest.root(other)) for other in others
        }
        kinds = Counter((kind, evidence) for kind, evidence, _ in people)
        accounts = max(kinds["user_id", VERIFIED], kinds["user_id", CLAIMED])
        crowd = max((n for (kind, _), n in kinds.items() if kind in _CROWDING), default=0)
        if by_id[one].kind != "user_id" and (accounts > 1 or crowd > CROWD):
            yield one


class _Forest:
    """Groups that grow as links are added, each with what may not be in it."""

    def __init__(self, atoms: Iterable[Atom], parted: Iterable[Tie]) -> None:
        self._of = {
            atom.id: _Group({atom.id}, Counter({atom.kind: 1}), atom.is_proof) for atom in atoms
        }
        for tie in parted:
            self._of[tie.left].apart.add(tie.right)
            self._of[tie.right].apart.add(tie.left)

    def root(self, atom: int) -> int:
        """Return the same number for all that is joined so far."""
        return id(self._of[atom])

    def groups(self) -> list[frozenset[int]]:
        unique = {id(group): group for group in self._of.values()}
        return [frozenset(group.members) for group in unique.values()]

    def try_join(self, tie: Tie) -> str:
        """Join two groups if the rules allow it; return the reason if they do not."""
        left, right = self._of[tie.left], self._of[tie.right]
        if left is right:
            return ""
        if tie.evidence == CLAIMED and (left.has_proof or right.has_proof):
            return ""
        if left.apart & right.members:
            return ""
        if over := _over_limit(left.kinds, right.kinds):
            return f"limit:{over}"
        self.join(tie)
        return ""

    def join(self, tie: Tie) -> None:
        left, right = self._of[tie.left], self._of[tie.right]
        if left is right or left.apart & right.members:
            return
        if len(left.members) < len(right.members):
            left, right = right, left
        left.members |= right.members
        for kind, count in right.kinds.items():
            left.kinds[kind] += count
        left.apart |= right.apart
        left.has_proof |= right.has_proof
        for member in right.members:
            self._of[member] = left


def _over_limit(left: Counter[str], right: Counter[str]) -> str:
    """Return the kind of which joining would make too many; what a person joined may have."""
    for kind in left.keys() & right.keys() - UNLIMITED:
        if left[kind] + right[kind] > LIMITS.get(kind, LIMIT_OF_OTHER_SYSTEMS):
            return kind
    return ""
