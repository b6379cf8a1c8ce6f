"""The customer separates records that Butler joined."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from butler.queries.inbox import ResolvedCustomer
from channels.portal.decorators import form, not_found
from customers.actions import reviews

_ACTOR = "customer"


@form
def separate(request: HttpRequest, customer: ResolvedCustomer, merge_id: int) -> HttpResponse:
    """Undo a join of the customer's own records; sources cannot repeat it."""
    try:
        merge = reviews.undo_merge(
            customer_id=customer.id, merge_id=merge_id, actor=_ACTOR, now=timezone.now()
        )
    except reviews.MergeAlreadyUndone:
        return redirect("portal:home")
    if merge is None:
        return not_found(request, customer, "home")
    return redirect("portal:home")
