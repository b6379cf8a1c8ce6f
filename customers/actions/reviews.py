"""Stores decisions of staff on whether two records are one customer."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction

from customers.actions.proved_addresses import keep_proved_addresses
from customers.db.retry import repeated_on_conflict
from customers.identity import decisions
from customers.models import Customer, ManualDecision, Merge, Review


class ReviewAlreadySettled(Exception):
    """A staff member has already settled the review."""


class NothingToMerge(Exception):
    """The review does not name two separate records, so Butler cannot merge them."""


class MergeAlreadyUndone(Exception):
    """A staff member has already undone the merge."""


@repeated_on_conflict
def accept_review(*, review_id: int, actor: str, now: datetime) -> Review | None:
    """Merge the two records of a review; return the review, or None if it does not exist.

    Raises ReviewAlreadySettled or NothingToMerge.
    """
    review = _open_review(review_id)
    if review is None:
        return None
    if review.second_id is None:
        raise NothingToMerge
    try:
        decisions.merge_records(review.first_id, review.second_id, actor=actor, now=now)
    except decisions.NotFiled as error:
        raise NothingToMerge from error
    return _settle(review, Review.Status.ACCEPTED, actor, now)


@transaction.atomic
def decline_review(*, review_id: int, actor: str, now: datetime) -> Review | None:
    """Settle a review without a merge; return it, or None if it does not exist.

    Butler does not create the same review again. Raises ReviewAlreadySettled.
    """
    review = _open_review(review_id)
    return review and _settle(review, Review.Status.DECLINED, actor, now)


@repeated_on_conflict
def undo_merge(
    *,
    customer_id: UUID,
    merge_id: int,
    actor: str,
    now: datetime,
    fresh_ids: Collection[int] = (),
) -> Merge | None:
    """Undo a merge of a live record; return it, or None if it does not exist.

    A decision of staff is undone. If the links of the records would still join them, the
    records are separated, so that later statements of sources do not merge them again.

    fresh_ids: the identifiers that the customer proved within the last minutes, and may take off
    Raises MergeAlreadyUndone or TakesProvedAddress.
    """
    # The merge is not locked here: regrouping locks the records first and the merges after them.
    merge = Merge.objects.filter(pk=merge_id, merged_into_id=customer_id).first()
    if merge is None:
        return None
    if merge.undone_at:
        raise MergeAlreadyUndone
    with keep_proved_addresses([customer_id], fresh_ids=fresh_ids):
        _undo(merge, actor, now)
    merge.refresh_from_db()
    return merge


def _undo(merge: Merge, actor: str, now: datetime) -> None:
    if merge.reason == Merge.Reason.STAFF:
        try:
            for decision in _decisions_of(merge):
                decisions.undo_decision(decision_id=decision.pk, actor=actor, now=now)
        except decisions.DecisionAlreadyUndone as error:
            raise MergeAlreadyUndone from error
    if Customer.objects.filter(pk=merge.record_id, canonical_id=merge.merged_into_id).exists():
        decisions.separate_records(merge.merged_into_id, merge.record_id, actor=actor, now=now)


def _decisions_of(merge: Merge) -> list[ManualDecision]:
    """Return the decisions that made a merge: those of its moment about its live record."""
    return list(
        ManualDecision.objects.filter(
            kind=ManualDecision.Kind.MERGE,
            undone_at__isnull=True,
            decided_at=merge.merged_at,
            actor=merge.actor,
            first__customer_id=merge.merged_into_id,
        )
    )


def _open_review(review_id: int) -> Review | None:
    review = Review.objects.select_for_update().filter(pk=review_id).first()
    if review and review.status != Review.Status.OPEN:
        raise ReviewAlreadySettled
    return review


def _settle(review: Review, status: str, actor: str, now: datetime) -> Review:
    review.status, review.settled_by, review.settled_at = status, actor[:100], now
    review.save(update_fields=["status", "settled_by", "settled_at"])
    return review
