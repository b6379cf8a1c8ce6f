"""Decisions of staff about records: whether two are one customer."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from customers.identity import merging
from customers.models import Merge, Review


class ReviewAlreadySettled(Exception):
    """The review was settled already."""


class NothingToMerge(Exception):
    """Nothing can be merged: the review is not about two records, or they are one by now."""


class MergeAlreadyUndone(Exception):
    """The merge was undone already."""


@transaction.atomic
def accept_review(*, review_id: int, actor: str, now: datetime) -> Review | None:
    """Merge the two records that a review is about."""
    review = _open_review(review_id)
    if review is None:
        return None
    if review.second_id is None:
        raise NothingToMerge
    try:
        merging.merge(review.first_id, review.second_id, actor=actor, now=now)
    except merging.NotFiled as error:
        raise NothingToMerge from error
    return _settle(review, Review.Status.ACCEPTED, actor, now)


@transaction.atomic
def decline_review(*, review_id: int, actor: str, now: datetime) -> Review | None:
    """Leave things as they are; the question is not asked again."""
    review = _open_review(review_id)
    return review and _settle(review, Review.Status.DECLINED, actor, now)


@transaction.atomic
def undo_merge(*, customer_id: UUID, merge_id: int, actor: str, now: datetime) -> Merge | None:
    """Undo a merge of a live record; both stay separate whatever identifiers come later."""
    # Not locked: who draws groups locks records first, and the ledger after them.
    merge = Merge.objects.filter(pk=merge_id, merged_into_id=customer_id).first()
    if merge is None:
        return None
    if merge.undone_at:
        raise MergeAlreadyUndone
    merging.separate(merge.merged_into_id, merge.record_id, actor=actor, now=now)
    merge.refresh_from_db()
    return merge


def _open_review(review_id: int) -> Review | None:
    review = Review.objects.select_for_update().filter(pk=review_id).first()
    if review and review.status != Review.Status.OPEN:
        raise ReviewAlreadySettled
    return review


def _settle(review: Review, status: str, actor: str, now: datetime) -> Review:
    review.status, review.settled_by, review.settled_at = status, actor[:100], now
    review.save(update_fields=["status", "settled_by", "settled_at"])
    return review
