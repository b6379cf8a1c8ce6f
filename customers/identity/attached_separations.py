"""Which records and identifiers people keep apart from cards, phones, devices and numbers.

A separation holds in all periods of an address, until the customer proves both ends after it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import NamedTuple
from uuid import UUID

from customers import sql
from customers.identity.links import (
    DecisionKind,
    IdentifierLink,
    IdentifierNode,
    LinkKind,
    ManualDecision,
    Pair,
    last_decisions,
    pair_of,
)
from customers.identity.separations import first_periods, separated_since
from customers.types import STATED


class EffectiveDecisions(NamedTuple):
    """The decisions of people that count now, and the live records of the separated ends."""

    decisions: Sequence[ManualDecision]
    records: Mapping[int, UUID | None]


class _StoredPeriod(NamedTuple):
    """One period of an identifier that people separated, and the period before it."""

    id: int
    previous: int | None
    customer_id: UUID | None
    erasure_id: int


def effective_decisions(
    nodes: Mapping[int, IdentifierNode],
    links: Iterable[IdentifierLink],
    decisions: Sequence[ManualDecision],
) -> EffectiveDecisions:
    """Return the decisions that count, with a separation for each period of an address.

    links: all links of the identifiers that are placed now, for the proofs among them
    """
    latest = last_decisions(decisions)
    merges = {pair: decision for pair, decision in latest.items() if _is_merge(decision)}
    if len(merges) == len(latest):
        return EffectiveDecisions([*merges.values()], {})
    periods = _read_periods({end for pair in latest for end in pair})
    erasures = {id_: node.erasure_id for id_, node in nodes.items()}
    erasures |= {id_: period.erasure_id for id_, period in periods.items()}
    counting = [
        decision
        for decision in decisions
        if erasures.get(decision.first) == erasures.get(decision.second)
    ]
    since = separated_since([*links, *_period_links(periods.values())], counting)
    firsts = first_periods(_period_links(periods.values()))
    later: defaultdict[int, list[int]] = defaultdict(list)
    for period, first in firsts.items():
        later[first].append(period)
    separated: dict[Pair, ManualDecision] = {}
    for (first, second), time in since.items():
        for ends in product([first, *later[first]], [second, *later[second]]):
            pair = pair_of(*ends)
            separated[pair] = ManualDecision(DecisionKind.SEPARATE, *pair, time, 0)
    records = {id_: period.customer_id for id_, period in periods.items()}
    return EffectiveDecisions([*(merges | separated).values()], records)


def _is_merge(decision: ManualDecision) -> bool:
    return decision.kind == DecisionKind.MERGE


def _read_periods(ids: Iterable[int]) -> dict[int, _StoredPeriod]:
    """Return these identifiers and their other periods, by id."""
    rows = sql.rows("read_periods", {"ids": sorted(ids)})
    return {row[0]: _StoredPeriod(*row) for row in rows}


def _period_links(periods: Iterable[_StoredPeriod]) -> list[IdentifierLink]:
    return [
        IdentifierLink(period.previous, period.id, STATED, LinkKind.PERIOD)
        for period in periods
        if period.previous is not None
    ]
