"""The customer separates records that Butler joined."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from butler.queries.inbox import ResolvedCustomer
from channels.pages.presenters.record import SeparatedRecord, separated_record
from channels.portal.decorators import form, not_found, render_page
from customers.access.address_states import read_own_addresses
from customers.actions import reviews
from customers.actions.identity_previews import Preview, preview_undo_of_merge
from customers.actions.proved_addresses import TakesProvedAddress
from customers.models import User
from customers.queries import lists

_ACTOR = "customer"


@form
def separate(request: HttpRequest, customer: ResolvedCustomer, merge_id: int) -> HttpResponse:
    """Show what leaves the page, and undo the join of the customer's own records when confirmed."""
    if not _opens_both(customer, merge_id):
        return not_found(request, customer, "home")
    undo_arguments: dict[str, Any] = {
        "customer_id": customer.id,
        "merge_id": merge_id,
        "actor": _ACTOR,
        "now": timezone.now(),
        "fresh_ids": _fresh_ids(request),
    }
    try:
        if "confirm" not in request.POST:
            preview = preview_undo_of_merge(**undo_arguments, part=customer.part)
            if preview is None:
                return not_found(request, customer, "home")
            return _show(request, customer, preview)
        merge = reviews.undo_merge(**undo_arguments)
    except reviews.MergeAlreadyUndone:
        return redirect("portal:home")
    except TakesProvedAddress:
        return render_page(
            request, "portal/separate.html", customer, "home", is_old_proof=True, status=422
        )
    if merge is None:
        return not_found(request, customer, "home")
    return redirect("portal:home")


def _opens_both(customer: ResolvedCustomer, merge_id: int) -> bool:
    """Tell whether the session may open both records of a merge."""
    part = customer.part
    return part is None or any(
        merge.id == merge_id for merge in lists.merges(customer.id, part=part)
    )


def _fresh_ids(request: HttpRequest) -> frozenset[int]:
    """Return the identifiers that the session proved within the last minutes.

    While a change of addresses is frozen, none of them counts.
    """
    assert isinstance(request.user, User)
    own = read_own_addresses(request.user, request.session, now=timezone.now())
    return frozenset() if own is None or own.is_frozen else own.fresh


def _show(request: HttpRequest, customer: ResolvedCustomer, preview: Preview) -> HttpResponse:
    """Show which identifiers and how many events stay with the login, and which leave."""
    assert isinstance(request.user, User)
    own_record = request.user.record_id
    stays: list[SeparatedRecord] = []
    leaves: list[SeparatedRecord] = []
    for record in preview.after.values():
        side = stays if own_record in record.record_ids else leaves
        side.append(separated_record(record))
    return render_page(
        request, "portal/separate.html", customer, "home", stays=stays, leaves=leaves
    )
