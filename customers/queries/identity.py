"""The identifiers of a record with their evidence, and the decisions of people about them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from django.db.models import Q

from customers import db, sql, types
from customers.models import Identifier, ManualDecision
from customers.queries.shapes import EvidenceWord, Shape, Verified
from customers.types import OpenedRecord

_LIMIT = 500
_CONTESTED_LIMIT = 10
_DESKS = sorted(types.DESK_CHANNELS)
_WORDS: dict[int, EvidenceWord] = {
    types.CLAIMED: "claimed",
    types.NOTED: "noted",
    types.STATED: "stated",
    types.OPENED: "opened",
    types.CONFIRMED: "confirmed",
}


class ContestedLinkShape(Shape, frozen=True):
    """A link that the rules refuse.

    `value` and `id` of the other side are null unless the link is confirmed, or the other side is
    a card or a phone that the source gave for this account. `occurred_at` is null for equal numbers.
    """

    id: int | None
    kind: str
    value: str | None
    source: str
    evidence: EvidenceWord
    occurred_at: datetime | None


class HeldIdentifierShape(Shape, frozen=True):
    """An identifier of a record, and why the record has it. `source` is set for numbers and orders."""

    id: int
    kind: str
    value: str
    source: str | None
    evidence: EvidenceWord
    is_verified: Verified
    held_by: Literal["joined", "attached"]
    is_shared: bool
    first_seen_at: datetime
    contested: tuple[ContestedLinkShape, ...]


class ManualDecisionShape(Shape, frozen=True):
    """A decision of a person about two identifiers, and the record of each of them now."""

    id: int
    kind: Literal["merge", "separate"]
    first: str
    second: str
    first_customer: UUID | None
    second_customer: UUID | None
    reason: str
    actor: str
    decided_at: datetime
    undone_at: datetime | None
    undone_by: str
    undone_reason: str


class _ContestedRow(msgspec.Struct, frozen=True):
    id: int
    kind: str
    value: str | None
    source: str
    evidence: int
    occurred_at: datetime | None


def identifiers(
    customer_id: UUID, *, part: OpenedRecord | None = None
) -> list[HeldIdentifierShape]:
    """Return at most 500 identifiers of a live record, those that are no claims first.

    part: the part of the record that a session opens; None for the whole record
    """
    params = {
        "customer_id": customer_id,
        "listed_ids": list(part.listed_ids) if part else None,
        "limit": _LIMIT,
        "link_limit": _CONTESTED_LIMIT,
        "desk_channels": _DESKS,
    }
    return [
        HeldIdentifierShape(
            id=id_,
            kind=kind,
            value=value,
            source=source,
            evidence=_WORDS[evidence],
            is_verified=evidence >= types.STATED,
            held_by=held_by,
            is_shared=is_shared,
            first_seen_at=first_seen_at,
            contested=_contested(contested, part),
        )
        for id_, kind, value, source, evidence, held_by, is_shared, first_seen_at, contested in (
            db.rows(sql.load("read_identifiers"), params)
        )
    ]


def _contested(text: str, part: OpenedRecord | None) -> tuple[ContestedLinkShape, ...]:
    """Return contested links. A session is told of no other side that it does not open."""
    rows = msgspec.json.decode(text, type=list[_ContestedRow])
    return tuple(
        ContestedLinkShape(
            row.id if row.value else None,
            row.kind,
            row.value,
            row.source,
            _WORDS[row.evidence],
            row.occurred_at,
        )
        for row in rows
        if part is None or row.id in part.listed_ids
    )


def decisions(customer_id: UUID) -> list[ManualDecisionShape]:
    """Return at most 500 decisions about identifiers of a live record, the newest first."""
    own = list(Identifier.objects.filter(customer_id=customer_id).values_list("id", flat=True))
    rows = (
        ManualDecision.objects.filter(Q(first_id__in=own) | Q(second_id__in=own))
        .select_related("first", "second")
        .order_by("-decided_at", "-id")
    )
    return [_decision(row) for row in rows[:_LIMIT]]


def decision(decision_id: int) -> ManualDecisionShape:
    """Return one decision. Raises ManualDecision.DoesNotExist."""
    return _decision(ManualDecision.objects.select_related("first", "second").get(pk=decision_id))


def _decision(row: ManualDecision) -> ManualDecisionShape:
    return ManualDecisionShape(
        id=row.pk,
        kind="merge" if row.kind == ManualDecision.Kind.MERGE else "separate",
        first=f"{row.first.kind}:{row.first.value}",
        second=f"{row.second.kind}:{row.second.value}",
        first_customer=row.first.customer_id,
        second_customer=row.second.customer_id,
        reason=row.reason,
        actor=row.actor,
        decided_at=row.decided_at,
        undone_at=row.undone_at,
        undone_by=row.undone_by,
        undone_reason=row.undone_reason,
    )
