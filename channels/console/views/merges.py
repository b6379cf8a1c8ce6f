"""Reviews of two records that may be one customer: side by side, with the evidence."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from channels.console.presenters import labels
from channels.console.presenters.customer import CustomerPage, customer_page
from channels.console.views import access, audit, previews
from channels.console.views.live_records import find_live_id
from customers.actions import reviews
from customers.actions.identity_previews import preview_undo_of_merge
from customers.actions.proved_addresses import TakesProvedAddress
from customers.identity.merge_reasons import merge_reasons
from customers.models import Review
from customers.queries import lists
from customers.queries.record import read_record
from customers.queries.shapes import MergeShape


@require_safe
@access.page("customers.view_review")
def list_reviews(request: HttpRequest) -> HttpResponse:
    """List the open reviews, the newest first."""
    page = lists.reviews(
        status=Review.Status.OPEN, kind=None, cursor=request.GET.get("cursor") or None, limit=30
    )
    context = {"reviews": page.results, "next": page.next, "section": "merges"}
    return render(request, "console/merges.html", context)


@require_safe
@access.page("customers.view_review")
def compare(request: HttpRequest, review_id: int) -> HttpResponse:
    """Show both records side by side, with the evidence that they are one customer."""
    review = lists.review(review_id)
    if review is None:
        raise Http404
    customer_ids = [id_ for id_ in (review.first, review.second) if id_]
    customers = [customer for id_ in customer_ids if (customer := _customer(id_))]
    audit.log_console_access(request, {UUID(customer.id) for customer in customers}, part="merge")
    evidence = msgspec.json.decode(review.details)
    evidence_facts = evidence.items() if isinstance(evidence, dict) else ()
    context = {
        "review": review,
        "customers": customers,
        "evidence": [
            (name.replace("_", " "), _value_text(value)) for name, value in evidence_facts
        ],
        "may_merge": review.second is not None and review.status == "open",
        "section": "merges",
    }
    return render(request, "console/merge.html", context)


@require_POST
@access.page("customers.change_review")
def accept(request: HttpRequest, review_id: int) -> HttpResponse:
    """Merge the two records of a review, and return to the list of reviews."""
    return _settle_review(request, review_id, reviews.accept_review, "The records are merged.")


@require_POST
@access.page("customers.change_review")
def decline(request: HttpRequest, review_id: int) -> HttpResponse:
    """Close a review without a merge; Butler does not create the same review again."""
    return _settle_review(request, review_id, reviews.decline_review, "The records stay separate.")


@require_POST
@access.page("customers.change_review")
def undo(request: HttpRequest, customer_id: UUID, merge_id: int) -> HttpResponse:
    """Show what the undo of a merge changes, and undo it when staff confirm it."""
    live_id = find_live_id(customer_id)
    undo_arguments: dict[str, Any] = {
        "customer_id": live_id,
        "merge_id": merge_id,
        "actor": audit.actor(request),
        "now": timezone.now(),
    }
    try:
        if not previews.is_confirmed(request):
            preview = preview_undo_of_merge(**undo_arguments)
            if preview is None:
                raise Http404
            return previews.show_preview(request, live_id, previews.UNDO_MERGE, preview)
        merge = reviews.undo_merge(**undo_arguments)
    except reviews.MergeAlreadyUndone:
        messages.error(request, "This merge was undone before.")
        return redirect("console:customer", customer_id=live_id)
    except TakesProvedAddress:
        messages.error(request, previews.TAKES_PROVED_ADDRESS)
        return redirect("console:customer", customer_id=live_id)
    if merge is None:
        raise Http404
    messages.success(request, "The merge is undone. Each record has its own events again.")
    return redirect("console:customer", customer_id=live_id)


def active_merges(customer_id: UUID) -> list[tuple[MergeShape, str]]:
    """Return the merges of a live record that were not undone, each with its reason."""
    active = [merge for merge in lists.merges(customer_id) if not merge.undone_at]
    reasons = merge_reasons(merge.id for merge in active) if active else {}
    return [(merge, labels.merge_reason(reasons[merge.id])) for merge in active]


def _settle_review(
    request: HttpRequest, review_id: int, decide: Callable[..., Review | None], text: str
) -> HttpResponse:
    try:
        review = decide(review_id=review_id, actor=audit.actor(request), now=timezone.now())
    except reviews.ReviewAlreadySettled:
        messages.error(request, "A colleague has closed this review.")
        return redirect("console:merges")
    except reviews.NothingToMerge:
        messages.error(request, "This review does not have two records to merge.")
        return redirect("console:merges")
    if review is None:
        raise Http404
    messages.success(request, text)
    return redirect("console:merges")


def _customer(customer_id: UUID) -> CustomerPage | None:
    now = timezone.now()
    today = timezone.localdate(now)
    shape = read_record(customer_id, today=today, part=None)
    return customer_page(shape, None, now=now, today=today) if shape else None


def _value_text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_value_text(element) for element in value)
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_value_text(element)}" for name, element in value.items())
    return str(value)
