"""Two records that may be one person: side by side, with what speaks for it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from channels.console.presenters.customer import Person, person
from channels.console.views import access, audit
from customers.actions import reviews
from customers.models import Review
from customers.queries import lists
from customers.queries.record import record


@require_safe
@access.page("customers.view_review")
def listing(request: HttpRequest) -> HttpResponse:
    """List what waits for a person, the newest first."""
    page = lists.reviews(
        status=Review.Status.OPEN, kind=None, cursor=request.GET.get("cursor") or None, limit=30
    )
    shown = {"reviews": page.results, "next": page.next, "here": "merges"}
    return render(request, "console/merges.html", shown)


@require_safe
@access.page("customers.view_review")
def compare(request: HttpRequest, review_id: int) -> HttpResponse:
    """Show both records side by side, and why somebody thinks that they are one."""
    review = lists.review(review_id)
    if review is None:
        raise Http404
    sides = [_side(id_) for id_ in (review.first, review.second) if id_]
    audit.look(request, {UUID(side.id) for side in sides if side}, what="merge")
    evidence = msgspec.json.decode(review.details)
    facts = evidence.items() if isinstance(evidence, dict) else ()
    shown = {
        "review": review,
        "sides": [side for side in sides if side],
        "evidence": [(name.replace("_", " "), _plain(value)) for name, value in facts],
        "may_join": review.second is not None and review.status == "open",
        "here": "merges",
    }
    return render(request, "console/merge.html", shown)


@require_POST
@access.page("customers.change_review")
def join(request: HttpRequest, review_id: int) -> HttpResponse:
    return _settle(request, review_id, reviews.accept_review, "They are one record now.")


@require_POST
@access.page("customers.change_review")
def keep_apart(request: HttpRequest, review_id: int) -> HttpResponse:
    return _settle(request, review_id, reviews.decline_review, "They stay apart.")


@require_POST
@access.page("customers.change_review")
def part(request: HttpRequest, customer_id: UUID, merge_id: int) -> HttpResponse:
    """Undo a merge; each record gets back what was its own."""
    live = lists.live_id(customer_id)
    if live is None:
        raise Http404
    try:
        merge = reviews.undo_merge(
            customer_id=live, merge_id=merge_id, actor=audit.actor(request), now=timezone.now()
        )
    except reviews.MergeAlreadyUndone:
        messages.error(request, "They were parted already.")
        return redirect("console:customer", customer_id=live)
    if merge is None:
        raise Http404
    messages.success(request, "They are two records again, each with what was its own.")
    return redirect("console:customer", customer_id=live)


def _settle(
    request: HttpRequest, review_id: int, decide: Callable[..., Review | None], words: str
) -> HttpResponse:
    try:
        review = decide(review_id=review_id, actor=audit.actor(request), now=timezone.now())
    except reviews.ReviewAlreadySettled:
        messages.error(request, "Somebody settled this already.")
        return redirect("console:merges")
    except reviews.NothingToMerge:
        messages.error(request, "There are no two records to join.")
        return redirect("console:merges")
    if review is None:
        raise Http404
    messages.success(request, words)
    return redirect("console:merges")


def _side(customer_id: UUID) -> Person | None:
    now = timezone.now()
    found = record(customer_id, today=timezone.localdate(now))
    return person(found, None, now=now, today=timezone.localdate(now)) if found else None


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_plain(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_plain(one)}" for name, one in value.items())
    return str(value)
