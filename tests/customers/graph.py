"""Where each order belongs by all links at once, to compare with where it is."""

from collections.abc import Iterator, Sequence

from customers.identity.grouping import (
    ORDER,
    IdentifierLink,
    IdentifierNode,
    group,
)
from customers.identity.order_ownership import OrderMention, OrderOwner, order_number, order_owner
from customers.models import Identifier, Link
from customers.types import VERIFIED, WEAK_KINDS


def everything() -> tuple[list[IdentifierNode], list[IdentifierLink]]:
    """Read all identifiers and all links."""
    atoms = Identifier.objects.values_list("id", "kind", "value", "evidence")
    ties = Link.objects.values_list("first_id", "second_id", "evidence", "kind")
    return [IdentifierNode(*row) for row in atoms], [IdentifierLink(*row) for row in ties]


def misplaced_orders() -> list[Sequence[int]]:
    """Return the orders that are not on the record, or not in the doubt, that their links say."""
    atoms, ties = everything()
    kinds = {atom.id: atom.kind for atom in atoms}
    rows = Identifier.objects.values_list("id", "customer_id", "record_id", "is_shared")
    owner, record, shared = ({row[0]: row[at] for row in rows} for at in (1, 2, 3))
    misplaced = []
    for members in group(atoms, ties).groups:
        if not all(kinds[member] == ORDER for member in members):
            continue
        namings = list(_namings(members, ties, kinds, owner))
        placed, is_doubtful = order_owner(
            namings, list(_others(members, atoms, ties, owner, shared))
        )
        own = {record[member] for member in members} - {None} or {None}
        belongs = {placed} if placed else own
        actual = {owner[member] for member in members}
        if not actual <= belongs or any(shared[member] != is_doubtful for member in members):
            misplaced.append(sorted(members))
    return misplaced


def _namings(members, ties, kinds, owner) -> Iterator[OrderMention]:
    for tie in ties:
        for order, other in ((tie.first, tie.second), (tie.second, tie.first)):
            if order in members and kinds[other] != ORDER and tie.kind != "joined":
                yield OrderMention(tie.kind, kinds[other] in WEAK_KINDS, owner[other])


def _others(members, atoms, ties, owner, shared) -> Iterator[OrderOwner]:
    """The other orders with the number that somebody placed, and where they are."""
    verified = {a.id: a for a in atoms if a.kind == ORDER and a.evidence == VERIFIED}
    numbers = {order_number(verified[member].value) for member in members if member in verified}
    placed = {end for tie in ties if tie.kind == "placed" for end in (tie.first, tie.second)}
    for identifier_id, atom in verified.items():
        if (
            identifier_id in placed
            and identifier_id not in members
            and order_number(atom.value) in numbers
        ):
            yield (None, True) if shared[identifier_id] else (owner[identifier_id], False)
