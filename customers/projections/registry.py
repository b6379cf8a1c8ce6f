"""Keeps the record in step with the log: traits, orders, interactions, party, requests.

Every projection is a pure fold over the events concerned, so what is kept here can be thrown
away and remade at any time; `rebuild` does just that, after a merge or on command.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from customers import isolation, sql
from customers.projections import interactions, orders, parties, requests
from customers.projections.facts import Fact
from customers.projections.traits import Said, winners


class Subject(NamedTuple):
    """One thing that events are about, on the record of one customer."""

    customer_id: UUID
    about: str


class Skipped(NamedTuple):
    """An event that its subject's fold cannot read; the rest of the subject does without it."""

    subject: Subject
    version: int
    message_key: str
    fault: str


class Unfoldable(Exception):
    """Some of the events that are being stored cannot be folded; `faults` by message key."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__(*faults.values())
        self.faults = faults


class _Projection(NamedTuple):
    """How one kind of subject is folded, and where the outcome is kept."""

    table: str
    fold: Callable[[str, Iterable[Fact]], msgspec.Struct | None]


_ORDERS = _Projection("orders", orders.fold)
_MEMBERS = _Projection("members", parties.fold)
_INTERACTIONS = _Projection("interactions", interactions.fold)
_REQUESTS = _Projection("requests", requests.fold)
ALL = (_ORDERS, _MEMBERS, _INTERACTIONS, _REQUESTS)

_log = logging.getLogger(__name__)


def projection_of(about: str) -> tuple[_Projection, str] | None:
    """Return how a subject is projected and under which name it is kept."""
    if about.startswith(orders.PREFIX):
        return _ORDERS, about.removeprefix(orders.PREFIX)
    if about.startswith(parties.PREFIX):
        return _MEMBERS, about.removeprefix(parties.PREFIX)
    if about.startswith(interactions.PREFIXES):
        return _INTERACTIONS, about
    if about.startswith(requests.PREFIX):
        return _REQUESTS, about.removeprefix(requests.PREFIX)
    return None


def keep_traits(said: Iterable[Said]) -> None:
    """Keep what outweighs the value that stands."""
    # Sorted like every other writer's, so that two of them cannot lock crosswise.
    traits = sorted(winners(said), key=lambda trait: (trait.customer_id, trait.name))
    if traits:
        sql.run("keep_traits", {"traits": sql.json(traits)})


def keep_subjects(subjects: Iterable[Subject], *, news: Set[str] = frozenset()) -> None:
    """Fold the given subjects anew from all that was said about them.

    news: message keys of the events that the open transaction stores. Raises Unfoldable where
    one of them cannot be folded; an older one is skipped.
    """
    wanted = sorted(set(subjects))
    if not wanted:
        return
    facts: dict[Subject, list[Fact]] = {subject: [] for subject in wanted}
    params = {
        "customers": [subject.customer_id for subject in wanted],
        "abouts": [subject.about for subject in wanted],
    }
    for customer_id, about, *fact in sql.rows("read_facts", params):
        facts[Subject(customer_id, about)].append(as_fact(*fact))
    folded, skipped = fold(facts)
    if faults := {event.message_key: event.fault for event in skipped if event.message_key in news}:
        raise Unfoldable(faults)
    _report(skipped)
    _keep(folded)


def as_fact(*row: Any) -> Fact:
    """Read a row of read_facts.sql; Django leaves jsonb as text on its connections."""
    values = dict(zip(Fact.__struct_fields__, row, strict=True))
    data = msgspec.json.decode(values.pop("data"))
    return Fact(**values, data=data if isinstance(data, dict) else {})


type Folded = dict[str, list[tuple[UUID, str, msgspec.Struct | None]]]


def fold(facts: dict[Subject, list[Fact]]) -> tuple[Folded, list[Skipped]]:
    """Fold each subject, None where nothing is left of it; and tell which events were skipped."""
    folded: Folded = {projection.table: [] for projection in ALL}
    skipped: list[Skipped] = []
    for subject, about_it in facts.items():
        if found := projection_of(subject.about):
            projection, name = found
            state, faulty = _fold_sound(projection, name, about_it)
            folded[projection.table].append((subject.customer_id, name, state))
            skipped += [
                Skipped(subject, fact.version, fact.message_key, isolation.describe(error))
                for fact, error in faulty
            ]
    return folded, skipped


def _fold_sound(
    projection: _Projection, name: str, facts: Sequence[Fact]
) -> tuple[msgspec.Struct | None, list[tuple[Fact, Exception]]]:
    """Fold what can be folded; what raises a fault is left out, whatever came first."""
    try:
        return projection.fold(name, facts), []
    except isolation.FAULTS:
        # By when things happened, so that the order of arrival decides nothing.
        ordered = sorted(facts, key=lambda fact: (fact.occurred_at, fact.message_key))
    sound, faulty = isolation.split(ordered, lambda events: projection.fold(name, events))
    return projection.fold(name, sound), faulty


def _report(skipped: Iterable[Skipped]) -> None:
    for event in skipped:
        _log.warning(
            "event %d of customer %s cannot be folded and was skipped: %s",
            event.version,
            event.subject.customer_id,
            event.fault,
        )


def _keep(folded: Folded) -> None:
    for table, states in folded.items():
        if states:
            gone = [(customer, name) for customer, name, state in states if state is None]
            kept = [{"customer_id": c, **as_row(s)} for c, _, s in states if s is not None]
            _write(table, kept, gone)


def as_row(state: msgspec.Struct) -> dict[str, object]:
    """Return the columns of a folded state; amounts as text, so that no cent is lost."""
    row = msgspec.to_builtins(state, builtin_types=(UUID,))
    assert isinstance(row, dict)
    if isinstance(state, orders.OrderState):
        totals = (str(line.total) for line in state.lines)
        row["lines"] = [
            {**line, "total": total} for line, total in zip(row["lines"], totals, strict=True)
        ]
    return row


def _write(table: str, kept: Sequence[dict[str, object]], gone: Sequence[tuple[UUID, str]]) -> None:
    if gone:
        customers, names = (list(column) for column in zip(*gone, strict=True))
        sql.run(f"drop_{table}", {"customers": customers, "names": names})
    if kept:
        sql.run(f"keep_{table}", {"rows": sql.json(kept)})


def rebuild(customer_ids: Iterable[UUID]) -> list[Skipped]:
    """Delete the projections of these records and make them again from the log.

    Returns the events that could not be folded and were skipped.
    """
    ids = list(customer_ids)
    sql.run("clear_records", {"ids": ids})
    keep_traits(traits_on_log(ids))
    facts: dict[Subject, list[Fact]] = {}
    for customer_id, about, *fact in sql.rows("read_all_facts", {"ids": ids}):
        facts.setdefault(Subject(customer_id, about), []).append(as_fact(*fact))
    folded, skipped = fold(facts)
    _report(skipped)
    _keep(folded)
    return skipped


def traits_on_log(ids: Sequence[UUID]) -> list[Said]:
    """Return every value that was ever said of a trait, as the log has it."""
    rows = sql.rows("read_traits_on_log", {"ids": ids})
    return [
        Said(customer_id, name, msgspec.json.decode(value), *weight)
        for customer_id, name, value, *weight in rows
    ]
