"""What a person decides about records: these two are one, those two are not."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from customers.identity import merging
from customers.models import Merge, Review


class Settled(Exception):
    """Somebody settled it already."""


class NotOne(Exception):
    """Nothing can be joined: the review is not about two records, or they are one by now."""


class Parted(Exception):
    """The two were parted already."""


@transaction.atomic
def accept_review(*, review_id: int, actor: str, now: datetime) -> Review | None:
    """Join the two records that a review is about."""
    review = _open(review_id)
    if review is None:
        return None
    if review.second_id is None:
        raise NotOne
    try:
        merging.join(review.first_id, review.second_id, actor=actor, now=now)
    except merging.NotFiled as error:
        raise NotOne from error
    return _settle(review, Review.Status.ACCEPTED, actor, now)


@transaction.atomic
def decline_review(*, review_id: int, actor: str, now: datetime) -> Review | None:
    """Leave things as they are; the question is not asked again."""
    review = _open(review_id)
    return review and _settle(review, Review.Status.DECLINED, actor, now)


@transaction.atomic
def part_records(*, customer_id: UUID, merge_id: int, actor: str, now: datetime) -> Merge | None:
    """Undo a merge that a live record took part in; both stay apart whatever is seen later."""
    # Not locked: who draws groups locks records first, and the ledger after them.
    merge = Merge.objects.filter(pk=merge_id, merged_into_id=customer_id).first()
    if merge is None:
        return None
    if merge.undone_at:
        raise Parted
    merging.part(merge.merged_into_id, merge.record_id, actor=actor, now=now)
    merge.refresh_from_db()
    return merge


def _open(review_id: int) -> Review | None:
    review = Review.objects.select_for_update().filter(pk=review_id).first()
    if review and review.status != Review.Status.OPEN:
        raise Settled
    return review


def _settle(review: Review, status: str, actor: str, now: datetime) -> Review:
    review.status, review.settled_by, review.settled_at = status, actor[:100], now
    review.save(update_fields=["status", "settled_by", "settled_at"])
    return review
