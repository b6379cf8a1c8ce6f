"""Updates the projections of the log: traits, orders, interactions, party, requests.

Each projection is a pure fold over events, so Butler can delete its rows and compute them again.
`rebuild` does this after a merge or by command.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.utils.timezone import get_default_timezone

from customers import fault_isolation, sql
from customers.projections import interactions, order_numbers, orders, parties, requests
from customers.projections.event_names import canonical_name
from customers.projections.order_state import OrderState
from customers.projections.projected_events import ProjectedEvent
from customers.projections.traits import TraitStatement, weightiest


class Subject(NamedTuple):
    """One subject of events, such as an order, on the record of one customer."""

    customer_id: UUID
    about: str


class SkippedEvent(NamedTuple):
    """An event that the fold of its subject cannot read. The state is computed without it."""

    subject: Subject
    version: int
    message_key: str
    fault: str


class Unfoldable(Exception):
    """Some of the events to store cannot be folded. `faults` holds the reasons by message key."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__(*faults.values())
        self.faults = faults


def _as_single_state(
    name: str, events: Sequence[ProjectedEvent]
) -> Mapping[str, Sequence[ProjectedEvent]]:
    return {name: events}


class _Projection(NamedTuple):
    """The fold of one kind of subject, and the table of its states."""

    table: str
    fold: Callable[[str, Iterable[ProjectedEvent]], msgspec.Struct | None]
    # Divides the events about one subject into those of each state, by the names of the states.
    separate: Callable[[str, Sequence[ProjectedEvent]], Mapping[str, Sequence[ProjectedEvent]]] = (
        _as_single_state
    )


_ORDERS = _Projection("orders", orders.fold, order_numbers.separate_orders)
_MEMBERS = _Projection("members", parties.fold)
_INTERACTIONS = _Projection("interactions", interactions.fold)
_REQUESTS = _Projection("requests", requests.fold)
ALL = (_ORDERS, _MEMBERS, _INTERACTIONS, _REQUESTS)

_log = logging.getLogger(__name__)


def projection_of(about: str) -> tuple[_Projection, str] | None:
    """Return the projection of a subject and the name of its row; None if it has none."""
    if about.startswith(orders.PREFIX):
        return _ORDERS, about.removeprefix(orders.PREFIX)
    if about.startswith(parties.PREFIX):
        return _MEMBERS, about.removeprefix(parties.PREFIX)
    if about.startswith(interactions.PREFIXES):
        return _INTERACTIONS, about
    if about.startswith(requests.PREFIX):
        return _REQUESTS, about.removeprefix(requests.PREFIX)
    return None


def store_traits(statements: Iterable[TraitStatement]) -> None:
    """Store the statements that outweigh the stored values of their traits."""
    # All writers use this order, so that two of them cannot deadlock.
    traits = sorted(weightiest(statements), key=lambda trait: (trait.customer_id, trait.name))
    if traits:
        sql.run("upsert_traits", {"traits": sql.json(traits)})


def project(subjects: Iterable[Subject], *, new_message_keys: Set[str] = frozenset()) -> None:
    """Fold these subjects again from all their events, and store the states.

    new_message_keys: the keys of the events that the open transaction stores. Raises Unfoldable if
    one of these events cannot be folded. Older events that cannot be folded are skipped.
    """
    subjects = sorted(set(subjects))
    if not subjects:
        return
    states, skipped = fold(_read_events(subjects))
    faults = {
        event.message_key: event.fault for event in skipped if event.message_key in new_message_keys
    }
    if faults:
        raise Unfoldable(faults)
    _log_skipped(skipped)
    _store(states)


def _read_events(subjects: Sequence[Subject]) -> dict[Subject, list[ProjectedEvent]]:
    events: dict[Subject, list[ProjectedEvent]] = {subject: [] for subject in subjects}
    params = {
        "customers": [subject.customer_id for subject in subjects],
        "abouts": [subject.about for subject in subjects],
    }
    for customer_id, about, *event in sql.rows("read_projected_events", params):
        events[Subject(customer_id, about)].append(projected_event(*event))
    return events


def projected_event(*row: Any) -> ProjectedEvent:
    """Return the event from a row of read_projected_events.sql, in which jsonb is text."""
    values = dict(zip(_ROW_FIELDS, row, strict=True))
    # Older rows have the name as it was sent.
    values["name"] = canonical_name(values["name"])
    properties = msgspec.json.decode(values.pop("properties"))
    return ProjectedEvent(
        **values,
        properties=properties if isinstance(properties, dict) else {},
        zone=get_default_timezone(),
    )


_ROW_FIELDS = ProjectedEvent.__struct_fields__[:-1]


# By table: customer, name and state of each subject. The state is None if the row must be deleted.
type States = dict[str, list[tuple[UUID, str, msgspec.Struct | None]]]


def fold(events: dict[Subject, list[ProjectedEvent]]) -> tuple[States, list[SkippedEvent]]:
    """Fold each subject; return the states and the skipped events."""
    states: States = {projection.table: [] for projection in ALL}
    skipped: list[SkippedEvent] = []
    for subject, subject_events in events.items():
        if named_projection := projection_of(subject.about):
            projection, name = named_projection
            for state_name, state_events in projection.separate(name, subject_events).items():
                state, faulty = _fold_sound(projection, state_name, state_events)
                states[projection.table].append((subject.customer_id, state_name, state))
                skipped += [_skipped(subject, event, error) for event, error in faulty]
    return states, skipped


def _skipped(subject: Subject, event: ProjectedEvent, error: Exception) -> SkippedEvent:
    fault = fault_isolation.describe_fault(error)
    return SkippedEvent(subject, event.version, event.message_key, fault)


def _fold_sound(
    projection: _Projection, name: str, events: Sequence[ProjectedEvent]
) -> tuple[msgspec.Struct | None, list[tuple[ProjectedEvent, Exception]]]:
    """Fold the readable events; return the state, and the events that raise an error."""
    try:
        return projection.fold(name, events), []
    except fault_isolation.FAULTS:
        # Sorted, so that the result does not depend on the order of the rows.
        ordered = sorted(events, key=lambda event: event.time_order)
    sound, faulty = fault_isolation.split_sound_and_faulty(
        ordered, lambda events: projection.fold(name, events)
    )
    return projection.fold(name, sound), faulty


def _log_skipped(skipped: Iterable[SkippedEvent]) -> None:
    for event in skipped:
        _log.warning(
            "event %d of customer %s cannot be folded and was skipped: %s",
            event.version,
            event.subject.customer_id,
            event.fault,
        )


def _store(states: States) -> None:
    for table, rows in states.items():
        if rows:
            deleted = [(customer, name) for customer, name, state in rows if state is None]
            stored = [
                {"customer_id": customer, **as_row(state)}
                for customer, _, state in rows
                if state is not None
            ]
            _write(table, stored, deleted)


def as_row(state: msgspec.Struct) -> dict[str, object]:
    """Return the columns of a folded state. Amounts are text, so that they stay exact."""
    row = msgspec.to_builtins(state, builtin_types=(UUID,))
    assert isinstance(row, dict)
    if isinstance(state, OrderState):
        totals = (str(line.total) for line in state.lines)
        row["lines"] = [
            {**line, "total": total} for line, total in zip(row["lines"], totals, strict=True)
        ]
    return row


def _write(
    table: str, stored: Sequence[dict[str, object]], deleted: Sequence[tuple[UUID, str]]
) -> None:
    if deleted:
        customers, names = (list(column) for column in zip(*deleted, strict=True))
        sql.run(f"delete_{table}", {"customers": customers, "names": names})
    if stored:
        sql.run(f"upsert_{table}", {"rows": sql.json(stored)})


def rebuild(customer_ids: Iterable[UUID]) -> list[SkippedEvent]:
    """Delete the projections of these records and compute them again from the log.

    Returns the events that were skipped because they could not be folded.
    """
    ids = list(customer_ids)
    sql.run("delete_projections", {"ids": ids})
    store_traits(trait_statements(ids))
    events: dict[Subject, list[ProjectedEvent]] = {}
    for customer_id, about, *event in sql.rows("read_all_projected_events", {"ids": ids}):
        events.setdefault(Subject(customer_id, about), []).append(projected_event(*event))
    states, skipped = fold(events)
    _log_skipped(skipped)
    _store(states)
    return skipped


def trait_statements(ids: Sequence[UUID]) -> list[TraitStatement]:
    """Return all statements about traits on the logs of these records."""
    rows = sql.rows("read_trait_statements", {"ids": ids})
    return [
        TraitStatement(customer_id, name, msgspec.json.decode(value), *weight)
        for customer_id, name, value, *weight in rows
    ]
