"""Stores and undoes the decisions of staff about two identifiers."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q

from customers.actions.proved_addresses import keep_proved_addresses
from customers.actions.refiling import MAX_REASON_LENGTH, UnknownIdentifier, find_identifier
from customers.identity import decisions
from customers.identity.families import is_number
from customers.identity.links import pair_of
from customers.models import Identifier, ManualDecision
from customers.queries import identity

# An identifier by its kind and value, or by its id.
type IdentifierName = tuple[str, str] | int

_LARGEST_ID = 2**63 - 1


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

    Raises UnknownIdentifier, AmbiguousIdentifier, SameIdentifier, IdentifierOfAnotherRecord or
    TakesProvedAddress.
    """
    ends = [find(name, region) for name in (first, second)]
    if ends[0].pk == ends[1].pk:
        raise SameIdentifier
    if customer_id not in {end.customer_id for end in ends}:
        raise IdentifierOfAnotherRecord
    last = _last_decision(ends[0].pk, ends[1].pk)
    if last and last.kind == kind:
        return last, False
    reason = reason.strip()[:MAX_REASON_LENGTH]
    with keep_proved_addresses({end.customer_id for end in ends if end.customer_id}):
        decision = decisions.decide(
            kind, ends[0].pk, ends[1].pk, actor=actor, reason=reason, now=now
        )
    return decision, True


def main_identifier(customer_id: UUID) -> int:
    """Return the id of the identifier that stands for a live record in a merge.

    It is the first account, or else the first mailbox, or else another identifier that is no
    claim. Two accounts of one space share no mailbox until they are merged, so a merge of records
    names their accounts. Raises UnknownIdentifier for a record without one.
    """
    rows = [row for row in identity.identifiers(customer_id) if row.evidence != "claimed"]
    joined = [row for row in rows if row.held_by == "joined"]
    accounts = [row.id for row in joined if is_number(row.kind)]
    others = accounts or [row.id for row in joined] or [row.id for row in rows]
    if not others:
        raise UnknownIdentifier
    return min(others)


def undo_decision(
    *, customer_id: UUID, decision_id: int, reason: str, actor: str, now: datetime
) -> ManualDecision | None:
    """Undo a decision about a live record; return it, or None if it does not exist.

    Raises decisions.DecisionAlreadyUndone or TakesProvedAddress.
    """
    is_of_record = Q(first__customer_id=customer_id) | Q(second__customer_id=customer_id)
    decision = ManualDecision.objects.filter(is_of_record, pk=decision_id).first()
    if decision is None:
        return None
    reason = reason.strip()[:MAX_REASON_LENGTH]
    with keep_proved_addresses([customer_id]):
        decisions.undo_decision(decision_id=decision.pk, actor=actor, reason=reason, now=now)
    decision.refresh_from_db()
    return decision


def find(name: IdentifierName, region: str | None) -> Identifier:
    """Return the identifier of this name. Raises UnknownIdentifier or AmbiguousIdentifier."""
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
