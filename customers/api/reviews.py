"""Endpoints of reviews and merges."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404, HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from customers.access.permissions import Right, request_actor
from customers.actions import reviews
from customers.actions.idempotency import StoredResponse
from customers.actions.proved_addresses import TakesProvedAddress
from customers.api import schema
from customers.api.base import (
    ApiView,
    CustomerView,
    encode,
    idempotent_response,
    or_404,
    page_parameters,
    page_response,
    shape_response,
)
from customers.api.identity import takes_proved_address
from customers.api.problems import Problem
from customers.models import Review
from customers.queries import lists
from customers.queries.pages import Page
from customers.queries.shapes import MergeShape, ReviewShape


class ReviewsView(ApiView):
    """The reviews."""

    rights: ClassVar = {"GET": Right.READ_REVIEWS}

    @schema.describe(
        "List the reviews, newest first",
        answer=schema.pages_of(ReviewShape),
        parameters=(
            schema.query("status", schema={"type": "string", "enum": Review.Status.values}),
            schema.query("kind", schema={"type": "string", "enum": Review.Kind.values}),
            *schema.PAGING,
        ),
        tags=("reviews",),
    )
    def get(self, request: Request) -> HttpResponse:
        cursor, limit = page_parameters(request)
        page = lists.reviews(
            status=_one_of(request, "status", Review.Status.values),
            kind=_one_of(request, "kind", Review.Kind.values),
            cursor=cursor,
            limit=limit,
        )
        return page_response(request, page)


def _one_of(request: Request, name: str, values: list[str]) -> str | None:
    value = request.GET.get(name)
    if value is not None and value not in values:
        raise Problem(400, "invalid-query", f"{name} has to be one of {', '.join(values)}.")
    return value


class ReviewView(ApiView):
    """One review."""

    rights: ClassVar = {"GET": Right.READ_REVIEWS}

    @schema.describe("Read a review", answer=schema.shape(ReviewShape), tags=("reviews",))
    def get(self, request: Request, review_id: int) -> HttpResponse:
        return shape_response(or_404(lists.review(review_id)))


class _SettleView(ApiView):
    rights: ClassVar = {"POST": Right.SETTLE_REVIEW}

    def settle(self, request: Request, review_id: int, decide: Callable[..., Any]) -> HttpResponse:
        """Settle the review with the action `decide`; return a response with the settled review.

        Raises Http404 if the review does not exist. Raises a Problem (409) if the review is already
        settled or does not name two separate records.
        """

        def effect() -> StoredResponse:
            try:
                or_404(
                    decide(review_id=review_id, actor=request_actor(request), now=timezone.now())
                )
            except reviews.ReviewAlreadySettled:
                raise Problem(409, "settled", "This review is already settled.") from None
            except reviews.NothingToMerge:
                raise Problem(
                    409, "nothing-to-join", "This review does not name two separate records."
                ) from None
            return StoredResponse(200, encode(lists.review(review_id)))

        return idempotent_response(request, effect)


class AcceptReviewView(_SettleView):
    """Accepts a review: merges its two records."""

    @schema.describe(
        "Accept a review: merge the two records",
        answer=schema.shape(ReviewShape),
        parameters=(schema.IDEMPOTENCY_KEY,),
        tags=("reviews",),
        problems=(409,),
    )
    def post(self, request: Request, review_id: int) -> HttpResponse:
        return self.settle(request, review_id, reviews.accept_review)


class DeclineReviewView(_SettleView):
    """Declines a review: does not merge its two records."""

    @schema.describe(
        "Decline a review: do not merge the two records",
        answer=schema.shape(ReviewShape),
        parameters=(schema.IDEMPOTENCY_KEY,),
        tags=("reviews",),
        problems=(409,),
    )
    def post(self, request: Request, review_id: int) -> HttpResponse:
        return self.settle(request, review_id, reviews.decline_review)


class MergesView(CustomerView):
    """The merges of a record."""

    rights: ClassVar = {"GET": Right.READ}

    @schema.describe(
        "List the merges of a record, oldest first",
        answer=schema.pages_of(MergeShape),
        tags=("reviews",),
    )
    def get(self, request: Request, customer_id: UUID | None = None) -> HttpResponse:
        return page_response(request, Page(lists.merges(self.live_id, part=self.part)))


class UndoMergeView(CustomerView):
    """Undoes a merge."""

    rights: ClassVar = {"POST": Right.SETTLE_REVIEW}

    @schema.describe(
        "Undo a merge: separate the two records",
        answer=schema.shape(MergeShape),
        parameters=(schema.IDEMPOTENCY_KEY,),
        tags=("reviews",),
        problems=(409,),
    )
    def post(
        self, request: Request, merge_id: int, customer_id: UUID | None = None
    ) -> HttpResponse:
        live = self.live_id

        def effect() -> StoredResponse:
            try:
                merge = reviews.undo_merge(
                    customer_id=live,
                    merge_id=merge_id,
                    actor=request_actor(request),
                    now=timezone.now(),
                )
            except reviews.MergeAlreadyUndone:
                raise Problem(409, "parted", "This merge is already undone.") from None
            except TakesProvedAddress as error:
                raise takes_proved_address(error) from None
            if merge is None:
                raise Http404
            return StoredResponse(200, encode(lists.merge(merge)))

        return idempotent_response(request, effect)
