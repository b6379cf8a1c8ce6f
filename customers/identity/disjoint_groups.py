"""Disjoint groups of identifiers, which grow as links join them. Pure.

The groups keep separated identifiers apart, and two numbers of one space.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from customers.identity.families import JOINING_FAMILIES, Family
from customers.identity.links import IdentifierNode, Pair

# The numbers of a group, by space and kind. Several numbers of one space were joined by a decision.
type _Numbers = dict[tuple[int, str], set[str]]


@dataclass(slots=True)
class _Group:
    members: set[int]
    numbers: _Numbers
    # The number of accounts and mailboxes among the members, and of mailboxes alone.
    joining: int
    mailboxes: int
    separated: set[int] = field(default_factory=set)


class DisjointGroups:
    """Groups that only grow. No group holds a separated pair, or two numbers of one space.

    In a space with one number per person, two numbers are two people, unless somebody joined them
    in this group: a decision about the numbers of one source says nothing about another group.
    """

    def __init__(self, nodes: Mapping[int, IdentifierNode], separated: Iterable[Pair]) -> None:
        self._group_of = {id_: _new_group(node) for id_, node in nodes.items()}
        for first, second in separated:
            if first in self._group_of and second in self._group_of:
                self._group_of[first].separated.add(second)
                self._group_of[second].separated.add(first)

    def same(self, first: int, second: int) -> bool:
        """Tell whether two identifiers are in one group."""
        return self._group_of[first] is self._group_of[second]

    def group_id(self, member: int) -> int:
        """Return a number that is equal for all members of one group."""
        return id(self._group_of[member])

    def members(self, member: int) -> frozenset[int]:
        """Return the members of the group of this identifier."""
        return frozenset(self._group_of[member].members)

    def is_attached(self, member: int) -> bool:
        """Tell whether the group of this identifier holds an account or a mailbox."""
        return self._group_of[member].joining > 0

    def is_alone(self, member: int) -> bool:
        """Tell whether the group of this account or mailbox holds no other one."""
        return self._group_of[member].joining == 1

    def has_mailbox(self, member: int) -> bool:
        """Tell whether the group of this identifier holds a mailbox."""
        return self._group_of[member].mailboxes > 0

    def as_sets(self) -> list[frozenset[int]]:
        """Return the members of each group."""
        unique = {id(group): group for group in self._group_of.values()}
        return [frozenset(group.members) for group in unique.values()]

    def are_separated(self, first: int, second: int) -> bool:
        """Tell whether the groups of two identifiers hold a separated pair."""
        return not self._group_of[first].separated.isdisjoint(self._group_of[second].members)

    def join_by_decision(self, first: int, second: int) -> None:
        """Join two groups by a decision of a person, or by an alias of an owner.

        Their numbers then count as one, in each space. A separated pair stays apart.
        """
        if not self.are_separated(first, second):
            self._join(first, second)

    def try_join(self, first: int, second: int) -> bool:
        """Join two groups if the rules allow it; return whether they are one group now."""
        if self.same(first, second):
            return True
        if self.are_separated(first, second) or self._have_other_numbers(first, second):
            return False
        self._join(first, second)
        return True

    def _have_other_numbers(self, first: int, second: int) -> bool:
        """Tell whether the groups have numbers of one space, and none in common."""
        numbers, others = self._group_of[first].numbers, self._group_of[second].numbers
        return any(numbers[space].isdisjoint(others[space]) for space in numbers.keys() & others)

    def _join(self, first: int, second: int) -> None:
        larger, smaller = self._group_of[first], self._group_of[second]
        if larger is smaller:
            return
        if len(larger.members) < len(smaller.members):
            larger, smaller = smaller, larger
        larger.members |= smaller.members
        larger.joining += smaller.joining
        larger.mailboxes += smaller.mailboxes
        larger.separated |= smaller.separated
        for space, numbers in smaller.numbers.items():
            larger.numbers.setdefault(space, set()).update(numbers)
        for member in smaller.members:
            self._group_of[member] = larger


def _new_group(node: IdentifierNode) -> _Group:
    numbers: _Numbers = {}
    if node.family is Family.ACCOUNT:
        numbers[node.space_id, node.kind] = {node.number}
    is_mailbox = node.family is Family.MAILBOX
    is_joining = node.family in JOINING_FAMILIES
    return _Group({node.id}, numbers, int(is_joining), int(is_mailbox))
