"""Which identifiers people separated, and since when. Pure.

A separation from an address holds in all of its periods. So a source that repeats an address every
night does not restore it in the period of the next holder.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import product

from customers.identity.links import (
    DecisionKind,
    IdentifierLink,
    LinkKind,
    ManualDecision,
    Pair,
    pair_of,
)


def first_periods(links: Iterable[IdentifierLink]) -> dict[int, int]:
    """Return the first period of each later period of an address, by their ids."""
    firsts: dict[int, int] = {}
    # The ids of the periods of an address grow with their times.
    for link in sorted(link for link in links if link.kind == LinkKind.PERIOD):
        firsts[link.second] = firsts.get(link.first, link.first)
    return firsts


def first_pair(pair: Pair, firsts: Mapping[int, int]) -> Pair:
    """Return the pair of the first periods of two identifiers."""
    first, second = (firsts.get(id_, id_) for id_ in pair)
    return pair if first == second else pair_of(first, second)


def separated_since(
    links: Iterable[IdentifierLink], decisions: Iterable[ManualDecision]
) -> dict[Pair, datetime]:
    """Return since when people keep pairs apart, by the first periods of both ends.

    A separation ends with a merge, and when the customer proves both ends after it.
    """
    links = list(links)
    firsts = first_periods(links)
    proved_at: dict[Pair, datetime] = {}
    for link in links:
        if link.own_proof_at:
            pair = first_pair(link.pair, firsts)
            proved_at[pair] = max(link.own_proof_at, proved_at.get(pair, link.own_proof_at))
    since: dict[Pair, datetime] = {}
    for decision in sorted(decisions, key=lambda decision: (decision.decided_at, decision.number)):
        pair = first_pair(decision.pair, firsts)
        if decision.kind == DecisionKind.MERGE:
            since.pop(pair, None)
        elif pair not in proved_at or proved_at[pair] <= decision.decided_at:
            since.setdefault(pair, decision.decided_at)
    return since


def separated_pairs(
    links: Iterable[IdentifierLink], decisions: Iterable[ManualDecision]
) -> list[Pair]:
    """Return the pairs that people keep apart, in all periods of the addresses among them."""
    links = list(links)
    periods: defaultdict[int, list[int]] = defaultdict(list)
    for later, first in first_periods(links).items():
        periods[first].append(later)
    return [
        pair_of(*ends)
        for first, second in separated_since(links, decisions)
        for ends in product([first, *periods[first]], [second, *periods[second]])
    ]
