"""Decides whether a link may join or attach identifiers, by its evidence, families and spaces. Pure."""

from collections.abc import Iterable, Mapping

from customers.identity.families import Family
from customers.identity.links import IdentifierLink, IdentifierNode, LinkKind
from customers.types import STATED


def in_order(
    by_id: Mapping[int, IdentifierNode], links: Iterable[IdentifierLink]
) -> list[IdentifierLink]:
    """Return the links between these nodes, the earliest first.

    Links between an erased identifier and another one are left out. Links of one event have one
    time and one arrival number; their strongest identifiers decide.
    """
    return sorted(
        (
            link
            for link in links
            if link.first in by_id and link.second in by_id
            if not is_across_erasures(by_id, link.first, link.second)
        ),
        key=lambda link: (link.order, sorted(by_id[id_].order for id_ in link.pair)),
    )


def is_across_erasures(by_id: Mapping[int, IdentifierNode], first: int, second: int) -> bool:
    """Tell whether an erasure ended one of the two identifiers, but not the other."""
    return by_id[first].erasure_id != by_id[second].erasure_id


def is_alias(by_id: Mapping[int, IdentifierNode], link: IdentifierLink) -> bool:
    """Tell whether an owner said that two of its numbers are one account."""
    return link.kind == LinkKind.ALIAS and are_own_numbers(by_id, link)


def are_own_numbers(by_id: Mapping[int, IdentifierNode], link: IdentifierLink) -> bool:
    """Tell whether both ends are accounts of sources that own their space."""
    is_noted = by_id[link.first].is_noted or by_id[link.second].is_noted
    return families(by_id, link) == {Family.ACCOUNT} and not is_noted


def has_sufficient_evidence(by_id: Mapping[int, IdentifierNode], link: IdentifierLink) -> bool:
    """Tell whether the evidence is stated or proved. A placeholder such as "guest" needs a proof."""
    if by_id[link.first].is_placeholder or by_id[link.second].is_placeholder:
        return is_proof(link)
    return link.evidence >= STATED


def is_proof(link: IdentifierLink) -> bool:
    """Tell whether a customer proved both ends. Equal numbers and aliases are no proofs."""
    return link.is_proved and link.kind == LinkKind.TOGETHER


def share_numbers(by_id: Mapping[int, IdentifierNode], link: IdentifierLink) -> bool:
    """Tell whether the sources of both numbers are known to number the same people.

    In the space `main`, which nobody named, two sources may number different people.
    """
    first, second = by_id[link.first], by_id[link.second]
    if first.source == second.source:
        return True
    return first.space_id == second.space_id and first.has_named_space


def families(by_id: Mapping[int, IdentifierNode], link: IdentifierLink) -> set[Family]:
    """Return the families of both ends of a link, such as account and mailbox."""
    return {by_id[link.first].family, by_id[link.second].family}
