"""Shows what a decision about identifiers, or its undo, would change, without storing it.

Each preview makes the change in a transaction and rolls it back, so that both cannot differ.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from customers import sql
from customers.actions import identity as actions
from customers.actions import reviews
from customers.actions.identity import IdentifierName
from customers.identity.search import describe
from customers.models import Customer, Identifier, ManualDecision, Merge
from customers.queries import identity
from customers.queries.identity import HeldIdentifierShape
from customers.types import OpenedRecord


class RecordPreview(NamedTuple):
    """A record before or after a change: its identifiers, and the number of its events."""

    name: str
    identifiers: list[HeldIdentifierShape]
    events: int
    # The record itself, and those that are merged into it.
    record_ids: frozenset[UUID]


class Preview(NamedTuple):
    """The records that a change concerns, before it and after it."""

    before: Mapping[UUID, RecordPreview]
    after: Mapping[UUID, RecordPreview]


def preview_decision(
    *,
    customer_id: UUID,
    kind: str,
    first: IdentifierName,
    second: IdentifierName,
    reason: str,
    actor: str,
    now: datetime,
    region: str | None = None,
) -> Preview:
    """Return the records before and after a decision. Raises as `actions.identity.decide` does."""
    pair = [actions.find(name, region).pk for name in (first, second)]
    preview = _preview(
        pair,
        lambda: actions.decide(
            customer_id=customer_id,
            kind=kind,
            first=pair[0],
            second=pair[1],
            reason=reason,
            actor=actor,
            now=now,
        ),
    )
    assert preview is not None, "a decision always returns one"
    return preview


def preview_undo_of_decision(
    *, customer_id: UUID, decision_id: int, actor: str, now: datetime
) -> Preview | None:
    """Return the records before and after the undo of a decision; None if it does not exist.

    Raises as `actions.identity.undo_decision` does.
    """
    decision = ManualDecision.objects.filter(pk=decision_id).first()
    if decision is None:
        return None
    return _preview(
        [decision.first_id, decision.second_id],
        lambda: actions.undo_decision(
            customer_id=customer_id, decision_id=decision_id, reason="", actor=actor, now=now
        ),
    )


def preview_undo_of_merge(
    *,
    customer_id: UUID,
    merge_id: int,
    actor: str,
    now: datetime,
    part: OpenedRecord | None = None,
    fresh_ids: Collection[int] = (),
) -> Preview | None:
    """Return the records before and after the undo of a merge; None if it does not exist.

    part: the part of the record that a session opens; the result contains nothing else
    Raises as `reviews.undo_merge` does.
    """
    merge = Merge.objects.filter(pk=merge_id).first()
    if merge is None:
        return None
    records = (merge.record_id, merge.merged_into_id)
    filed = Identifier.objects.filter(record__in=records).values_list("id", flat=True)
    return _preview(
        list(filed),
        lambda: reviews.undo_merge(
            customer_id=customer_id,
            merge_id=merge_id,
            actor=actor,
            now=now,
            fresh_ids=fresh_ids,
        ),
        part,
    )


@transaction.atomic
def _preview(
    identifier_ids: Iterable[int],
    change: Callable[[], object],
    part: OpenedRecord | None = None,
) -> Preview | None:
    """Return the records of the identifiers before and after a change, and take it back.

    Returns None if `change` does, because there is nothing to change.
    """
    identifier_ids = list(identifier_ids)
    before = _records(_records_of(identifier_ids), part)
    is_changed = change() is not None
    after = _records([*before, *_records_of(identifier_ids)], part)
    transaction.set_rollback(True)
    if not is_changed:
        return None
    return Preview(before, {id_: record for id_, record in after.items() if record.identifiers})


def _records_of(identifier_ids: Iterable[int]) -> list[UUID]:
    """Return the live records of these identifiers, each once."""
    rows = Identifier.objects.filter(pk__in=identifier_ids, customer__isnull=False).order_by("id")
    return list(dict.fromkeys(rows.values_list("customer", flat=True)))


def _records(record_ids: Iterable[UUID], part: OpenedRecord | None) -> dict[UUID, RecordPreview]:
    ids = list(dict.fromkeys(record_ids))
    opened_ids = list(part.record_ids) if part else None
    counts = dict(sql.rows("count_filed_events", {"ids": ids, "record_ids": opened_ids}))
    # The date only concerns visits, which a preview does not show. The name may be of a closed part.
    matches = [] if part else describe(ids, today=date.min)
    names = {match.id: match.name for match in matches}
    merged: dict[UUID, set[UUID]] = {id_: {id_} for id_ in ids}
    for record in Customer.objects.filter(canonical__in=ids).only("id", "canonical"):
        if record.canonical_id:
            merged[record.canonical_id].add(record.pk)
    return {
        id_: RecordPreview(
            names.get(id_, ""),
            identity.identifiers(id_, part=part),
            counts.get(id_, 0),
            frozenset(merged[id_]),
        )
        for id_ in ids
    }
