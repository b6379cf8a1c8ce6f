"""Stores and undoes the decisions of staff about two identifiers."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from customers.actions.refiling import MAX_REASON_LENGTH, UnknownIdentifier, find_identifier
from customers.identity import decisions
from customers.identity.families import is_number
from customers.identity.links import pair_of
from customers.models import Identifier, ManualDecision
from customers.queries import identity
from customers.queries.identity import HeldIdentifierShape

# An identifier by its kind and value, or by its id.
type IdentifierName = tuple[str, str] | int

_LARGEST_ID = 2**63 - 1


class Preview(NamedTuple):
    """The identifiers of the records of a decision, before it and after it."""

    before: Mapping[UUID, list[HeldIdentifierShape]]
    after: Mapping[UUID, list[HeldIdentifierShape]]


class SameIdentifier(ValueError):
    """The decision names one identifier twice."""


class IdentifierOfAnotherRecord(LookupError):
    """The record has neither of the two identifiers."""


def decide(
    *,
    customer_id: UUID,
    kind: str,
    first: IdentifierName,
    second: IdentifierName,
    reason: str,
    actor: str,
    now: datetime,
    region: str | None = None,
) -> tuple[ManualDecision, bool]:
    """Merge or separate two identifiers; return the decision, and whether it is new.

    customer_id: a live record that has one of them
    region: the country of phone numbers without a country code (ISO 3166 alpha-2)

    Raises UnknownIdentifier, AmbiguousIdentifier, SameIdentifier or IdentifierOfAnotherRecord.
    """
    ends = [_find(name, region) for name in (first, second)]
    if ends[0].pk == ends[1].pk:
        raise SameIdentifier
    if customer_id not in {end.customer_id for end in ends}:
        raise IdentifierOfAnotherRecord
    last = _last_decision(ends[0].pk, ends[1].pk)
    if last and last.kind == kind:
        return last, False
    reason = reason.strip()[:MAX_REASON_LENGTH]
    decision = decisions.decide(kind, ends[0].pk, ends[1].pk, actor=actor, reason=reason, now=now)
    return decision, True


@transaction.atomic
def preview(
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
    """Return the records before and after a decision, without storing it.

    Makes the decision and rolls it back. Raises as `decide` does.
    """
    pair = [_find(name, region).pk for name in (first, second)]
    before = _records_of(pair)
    decide(
        customer_id=customer_id,
        kind=kind,
        first=pair[0],
        second=pair[1],
        reason=reason,
        actor=actor,
        now=now,
    )
    after = {id_: identity.identifiers(id_) for id_ in before} | _records_of(pair)
    transaction.set_rollback(True)
    return Preview(before, {id_: rows for id_, rows in after.items() if rows})


def _records_of(identifier_ids: Iterable[int]) -> dict[UUID, list[HeldIdentifierShape]]:
    rows = Identifier.objects.filter(pk__in=identifier_ids).order_by("id")
    record_ids = dict.fromkeys(row.customer_id for row in rows)
    return {id_: identity.identifiers(id_) for id_ in record_ids if id_ is not None}


def find_account(kind: str, value: str, *, region: str | None = None) -> int:
    """Return the id of the first account of the record that an identifier leads to.

    Without an account, it is the identifier itself. Two accounts of one space share no mailbox
    until they are merged, so a merge of records names their accounts. Raises UnknownIdentifier or
    AmbiguousIdentifier.
    """
    identifier = find_identifier(kind, value, region=region)
    if is_number(identifier.kind) or identifier.customer_id is None:
        return identifier.pk
    rows = identity.identifiers(identifier.customer_id)
    accounts = [row.id for row in rows if row.held_by == "joined" and is_number(row.kind)]
    return min(accounts, default=identifier.pk)


def undo_decision(
    *, customer_id: UUID, decision_id: int, reason: str, actor: str, now: datetime
) -> ManualDecision | None:
    """Undo a decision about a live record; return it, or None if it does not exist.

    Raises decisions.DecisionAlreadyUndone.
    """
    is_of_record = Q(first__customer_id=customer_id) | Q(second__customer_id=customer_id)
    decision = ManualDecision.objects.filter(is_of_record, pk=decision_id).first()
    if decision is None:
        return None
    reason = reason.strip()[:MAX_REASON_LENGTH]
    decisions.undo_decision(decision_id=decision.pk, actor=actor, reason=reason, now=now)
    decision.refresh_from_db()
    return decision


def _find(name: IdentifierName, region: str | None) -> Identifier:
    if not isinstance(name, int):
        return find_identifier(*name, region=region)
    identifier = Identifier.objects.filter(pk=name).first() if 0 < name <= _LARGEST_ID else None
    if identifier is None:
        raise UnknownIdentifier
    return identifier


def _last_decision(first_id: int, second_id: int) -> ManualDecision | None:
    """Return the decision about this pair that counts now."""
    first, second = pair_of(first_id, second_id)
    of_pair = ManualDecision.objects.filter(first_id=first, second_id=second)
    return of_pair.filter(undone_at__isnull=True).order_by("decided_at", "id").last()
