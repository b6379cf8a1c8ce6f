"""Hangs cards, phones, devices and numbers of tills on the records that hold them.

`customers.identity.grouping` has the rule. A value may have thousands of holders, so this module
reads the strongest links only, and locks only the records that change.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import UTC, datetime
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

from customers import sql
from customers.identity.attachment import hang_identifiers, hung_end
from customers.identity.families import Family
from customers.identity.graph import (
    NO_LIMIT,
    Component,
    GraphRow,
    StoredLink,
    Targets,
    choose_targets,
    lock_missing,
    read_decisions,
    read_locked,
)
from customers.identity.grouping import join_records
from customers.identity.groups import Groups
from customers.identity.holders import Holder, read_holders
from customers.identity.link_rules import counts, is_across_erasures
from customers.identity.links import (
    DecisionKind,
    IdentifierLink,
    IdentifierNode,
    LinkKind,
    ManualDecision,
    last_decisions,
)
from customers.identity.placeholders import find_placeholders

_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)


class Hung(NamedTuple):
    """The identifiers that hang on records, and the new states of their links."""

    rows: Sequence[GraphRow]
    states: Mapping[int, str]
    # Identifiers that several records have.
    shared: frozenset[int]
    # The links by which they could hang.
    links: Sequence[StoredLink]
    # The cards and numbers that turn out to be placeholders.
    new_suspects: frozenset[int]


def hang(
    regrouped: Component,
    targets: Targets,
    locked: set[UUID],
    suspects: Set[int] = frozenset(),
    named: Set[int] = frozenset(),
) -> Hung:
    """Write the record of each hanging identifier into `targets`.

    These are the ones that were read, those that hang on identifiers whose record changes, on new
    placeholders or on accounts with a new mailbox, and those that staff separated from an
    identifier that was read.

    suspects: the accounts that turned out to be placeholders just now
    named: the accounts whose links with mailboxes begin to act
    Raises RetryTransaction if another transaction holds a record that has to change.
    """
    rows = {row.id: row for row in regrouped.rows}
    pending = {row.id for row in regrouped.rows if _hangs(row)}
    pending |= _read_hung([*_moved(rows.values(), targets), *suspects, *named]) - rows.keys()
    pending |= {end for decision in regrouped.decisions for end in decision.pair} - rows.keys()
    states: dict[int, str] = {}
    shared: set[int] = set()
    links: set[StoredLink] = set()
    new_suspects: set[int] = set()
    while pending:
        hanging = _read_hanging(pending, locked, suspects | new_suspects)
        new_suspects |= hanging.new_suspects
        fresh = {row.id: row for row in hanging.component.rows if _hangs(row)}
        rows |= fresh
        # A person may have put one of them on a record that is not touched otherwise.
        rows |= {row.id: row for row in hanging.component.rows if row.id not in rows}
        states |= _place(hanging, fresh, targets, shared)
        links |= {holder.link for holder in hanging.holders} | {*hanging.component.links}
        lock_missing({record for id_ in fresh if (record := targets[id_])}, locked)
        pending = _read_hung(_moved(fresh.values(), targets)) - targets.keys()
        pending |= _read_hung(sorted(hanging.new_suspects)) - fresh.keys()
    placed = [row for row in rows.values() if row.id in targets]
    return Hung(placed, states, frozenset(shared), sorted(links), frozenset(new_suspects))


def _hangs(row: GraphRow) -> bool:
    """Tell whether a row has its record from others. An order has, if people merged it with them."""
    return row.is_noted or row.node.family not in _CORES


_CORES = (Family.ACCOUNT, Family.MAILBOX)


def _moved(rows: Iterable[GraphRow], targets: Targets) -> list[int]:
    return [row.id for row in rows if row.customer_id != targets[row.id]]


def _read_hung(ids: Sequence[int]) -> set[int]:
    return {id_ for (id_,) in sql.rows("read_hung", {"ids": ids})} if ids else set()


class _Hanging(NamedTuple):
    """Identifiers that may hang, and the links by which they may."""

    component: Component
    holders: Sequence[Holder]
    new_suspects: frozenset[int]


def _read_hanging(ids: Set[int], locked: set[UUID], suspects: Set[int]) -> _Hanging:
    """Lock identifiers and their records, and read their holders.

    Equal numbers of which a person may have several hang together, so they are read, too. So are
    holders without a record: only their links tell which of them are one customer.
    """
    ids = set(ids)
    while True:
        sql.rows("lock_identifiers", {"ids": sorted(ids)})
        component = read_locked(ids, locked, NO_LIMIT)
        locked |= component.locked
        loaded = {row.id for row in component.rows}
        holders = read_holders(row.id for row in component.rows if _hangs(row))
        beside = {
            holder.other.id
            for holder in holders
            if (holder.link.kind == LinkKind.EQUAL and holder.other.family is Family.ATTACHED)
            or (holder.customer_id is None and holder.other.family in _CORES)
        }
        if beside <= loaded:
            placeholders = find_placeholders(component.rows, holders) - suspects
            return _with_suspects(_Hanging(component, holders, placeholders), suspects)
        ids |= beside


def _with_suspects(hanging: _Hanging, suspects: Set[int]) -> _Hanging:
    """Return the identifiers and their holders with the new placeholders marked."""
    marked = suspects | hanging.new_suspects
    rows = [
        row._replace(is_suspect=row.is_suspect or row.id in marked)
        for row in hanging.component.rows
    ]
    holders = [
        holder._replace(other=holder.other._replace(is_suspect=True))
        if holder.other.id in marked
        else holder
        for holder in hanging.holders
    ]
    return hanging._replace(component=hanging.component._replace(rows=rows), holders=holders)


def _place(
    hanging: _Hanging, rows: Mapping[int, GraphRow], targets: Targets, shared: set[int]
) -> dict[int, str]:
    """Write the record of each of these identifiers; return the new states of their links."""
    nodes = {holder.other.id: holder.other for holder in hanging.holders}
    nodes |= {row.id: row.node for row in hanging.component.rows}
    # A link may also hang the other end on one of these, which other links of that end decide.
    holders = [
        holder
        for holder in hanging.holders
        if holder.other.id in rows or hung_end(nodes, holder.as_link) in rows
    ]
    records = _records_of_holders(hanging.component, holders, rows, targets)
    stored_links = list(dict.fromkeys([*hanging.component.links, *(h.link for h in holders)]))
    links = [link.link(is_current=True) for link in stored_links]
    decisions = [*hanging.component.decisions, *_decisions_by_record(records, rows.keys(), targets)]
    # Which of the holders with a record are one customer is decided already.
    undecided = [
        link
        for link in links
        if {*link.pair} <= rows.keys() or not any(records.get(end) for end in link.pair)
    ]
    groups, _ = join_records(nodes, undecided, decisions, hanging=links)
    could_hang, ambiguous = hang_identifiers(nodes, links, groups)
    shared |= ambiguous & rows.keys()
    own_targets = choose_targets(rows, (groups.members(id_) & rows.keys() for id_ in rows))
    for id_ in rows:
        held_by = (records.get(member) for member in groups.members(id_))
        targets[id_] = next((record for record in held_by if record), own_targets[id_])
    inert = [holder.link for holder in hanging.holders if not counts(nodes, holder.as_link)]
    affected = dict.fromkeys([*stored_links, *inert])
    return _states(nodes, affected, set(could_hang), groups, rows.keys())


def _records_of_holders(
    component: Component,
    holders: Iterable[Holder],
    rows: Mapping[int, GraphRow],
    targets: Targets,
) -> dict[int, UUID | None]:
    """Return the record of each identifier that others hang on, but does not hang itself here."""
    records = {
        row.id: targets.get(row.id, row.customer_id) for row in component.rows if row.id not in rows
    }
    records |= {
        holder.other.id: targets.get(holder.other.id, holder.customer_id)
        for holder in holders
        if holder.other.id not in rows
    }
    return records


def _states(
    nodes: Mapping[int, IdentifierNode],
    links: Iterable[StoredLink],
    could_hang: Set[IdentifierLink],
    groups: Groups,
    hanging: Set[int],
) -> dict[int, str]:
    """Return the new states of links, as far as they change.

    hanging: the identifiers that hang on others
    """
    states = {}
    for link in links:
        if link.link(is_current=True) in could_hang:
            state = "hung" if groups.same(link.first, link.second) else "contested"
        elif is_across_erasures(nodes, link.first, link.second) or (
            link.state in ("hung", "contested")
            and not hanging.isdisjoint((link.first, link.second))
        ):
            # It hangs nothing: one end became a placeholder, or a source moved to another space.
            state = "filed"
        else:
            continue
        if state != link.state:
            states[link.id] = state
    return states


def _decisions_by_record(
    records: Mapping[int, UUID | None], ids: Set[int], targets: Targets
) -> list[ManualDecision]:
    """Return decisions that keep the holders of one record together, and others apart.

    A separation from one identifier of a record is a separation from all of its holders.
    """
    by_record: dict[UUID, list[int]] = {}
    for id_ in sorted(records):
        if record := records[id_]:
            by_record.setdefault(record, []).append(id_)
    merges = [pair for members in by_record.values() for pair in pairwise(members)]
    separations = [
        (id_, members[0])
        for id_, record in _separated_records(ids, targets)
        if (members := by_record.get(record))
    ]
    return [
        ManualDecision(kind, min(pair), max(pair), _ANY_TIME, 0)
        for kind, pairs in ((DecisionKind.MERGE, merges), (DecisionKind.SEPARATE, separations))
        for pair in pairs
    ]


def _separated_records(ids: Set[int], targets: Targets) -> list[tuple[int, UUID]]:
    """Return the records that people separated from these identifiers, as (identifier, record)."""
    latest = last_decisions(read_decisions(sorted(ids)))
    separations = [
        (id_, other)
        for decision in latest.values()
        if decision.kind == DecisionKind.SEPARATE
        for id_, other in (decision.pair, decision.pair[::-1])
        if id_ in ids and other not in ids
    ]
    others = sorted({other for _, other in separations})
    records = dict(sql.rows("read_live_records", {"ids": others})) if others else {}
    records |= {other: record for other in others if (record := targets.get(other))}
    return [(id_, records[other]) for id_, other in separations if other in records]
