"""The actions of staff on an order: confirm, decline, cancel, new ticket codes."""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from channels.console.forms import OrderAnswerForm, ReasonForm
from channels.console.presenters.orders import (
    StaffOrder,
    answered_text,
    request_row,
    staff_order,
)
from channels.console.views import access, audit
from channels.console.views.live_records import find_live_id
from customers.actions import idempotency, order_requests, orders, ticket_codes
from customers.actions.changes import RejectedChange, UnreachableRecord
from customers.actions.idempotency import StoredResponse
from customers.identity.search import describe
from customers.queries import lists
from customers.queries.open_requests import open_order_requests

# The number of orders with open requests on a page.
PAGE_SIZE = 50

# The reasons why an order cannot be saved, for staff who talk to the customer.
ERROR_TEXTS: dict[type[Exception], str] = {
    orders.NoSuchOrder: "This order no longer exists. Load the record again.",
    orders.NoSuchLine: "The order no longer has this line. Load the record again.",
    orders.OrderClosed: "This order was cancelled or refunded.",
    orders.UnverifiedOrder: "This order is not verified yet.",
    order_requests.OtherSource: "This order no longer exists. Load the record again.",
    order_requests.NoPendingRequest: "A colleague has already confirmed or declined this request.",
    orders.OrderNumberInUse: "Another order has this number.",
    ticket_codes.NoTicket: "This order has no tickets.",
    UnreachableRecord: "This customer has no verified identifier. Let the customer verify an address first.",
    RejectedChange: "Butler rejected the change. Load the record again and check the order.",
}


@require_POST
@access.page("customers.change_order")
def cancel(request: HttpRequest, customer_id: UUID, number: str) -> HttpResponse:
    """Cancel a whole order."""
    live_id, _ = find_order(customer_id, number)
    target = order_target(request, live_id, number)
    form = ReasonForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    _perform(
        request,
        lambda: orders.cancel_order(target=target, reason=reason),
        f"Order {number} is cancelled.",
    )
    return redirect("console:customer", customer_id=live_id)


@require_POST
@access.page("customers.change_order")
def confirm(request: HttpRequest, customer_id: UUID, number: str) -> HttpResponse:
    """Place the order, or make the change, that the customer requested."""
    live_id, before = find_order(customer_id, number)
    target = order_target(request, live_id, number)
    answer = _answer(request)
    outcome = "is placed" if before.is_requested else "is changed"
    _perform(
        request,
        lambda: order_requests.confirm_request(target=target, request_id=answer.request_id),
        f"{number} {outcome}.",
    )
    return _after_answer(answer, live_id)


@require_POST
@access.page("customers.change_order")
def decline(request: HttpRequest, customer_id: UUID, number: str) -> HttpResponse:
    """Decline the order or change that the customer requested."""
    live_id, _ = find_order(customer_id, number)
    target = order_target(request, live_id, number)
    answer = _answer(request)
    _perform(
        request,
        lambda: order_requests.decline_request(
            target=target, request_id=answer.request_id, reason=answer.reason
        ),
        f"The request for {number} is declined.",
    )
    return _after_answer(answer, live_id)


@require_POST
@access.page("customers.change_order")
def cancel_line(request: HttpRequest, customer_id: UUID, number: str, line: str) -> HttpResponse:
    """Cancel one line of an order."""
    live_id, _ = find_order(customer_id, number)
    target = order_target(request, live_id, number)
    _perform(
        request,
        lambda: orders.cancel_order_line(target=target, line=line),
        "The order line is cancelled.",
    )
    return redirect("console:order", customer_id=live_id, number=number)


@require_POST
@access.page("customers.change_order")
def replace_codes(request: HttpRequest, customer_id: UUID, number: str) -> HttpResponse:
    """Replace the ticket codes of an order. The earlier codes do not open the gate any more."""
    live_id, _ = find_order(customer_id, number)
    target = order_target(request, live_id, number)
    audit.log_console_access(request, [live_id], part="ticket codes")
    _perform(
        request,
        lambda: _once(request, lambda: ticket_codes.replace_codes(target=target)),
        f"Order {number} has new ticket codes. The earlier ones are not valid any more.",
    )
    return redirect("console:order", customer_id=live_id, number=number)


def _once(request: HttpRequest, act: Callable[[], object]) -> None:
    """Do what the form of a page asks for once, even if its button is pressed several times."""
    key = request.POST.get("key", "")[:100]
    if not key:
        act()
        return

    def effect() -> StoredResponse:
        act()
        return StoredResponse(200, b"")

    idempotency.run_once(
        principal=audit.principal(request),
        key=f"console-{key}",
        request=request.path.encode(),
        now=timezone.now(),
        retention=timedelta(days=settings.BUTLER_IDEMPOTENCY_DAYS),
        effect=effect,
    )


class _Answer(NamedTuple):
    """The answered request, or "" for all requests, the reason, and the page that had the form."""

    request_id: str
    reason: str
    is_from_list: bool


def _answer(request: HttpRequest) -> _Answer:
    form = OrderAnswerForm(request.POST)
    if not form.is_valid():
        raise Http404
    fields = form.cleaned_data
    return _Answer(str(fields["request"] or ""), fields["reason"], fields["from_list"])


def _after_answer(answer: _Answer, customer_id: UUID) -> HttpResponse:
    """Lead back to the list of requests, or to the customer."""
    if answer.is_from_list:
        return redirect("console:order-requests")
    return redirect("console:customer", customer_id=customer_id)


@require_safe
@access.page("customers.change_order")
def list_requests(request: HttpRequest) -> HttpResponse:
    """List the requests of customers about orders that wait for an answer."""
    page = open_order_requests(None, cursor=request.GET.get("cursor"), limit=PAGE_SIZE)
    customers = {open_request.customer for open_request in page.results}
    audit.log_console_access(request, customers, part="order requests")
    names = {
        match.id: match.name for match in describe(sorted(customers), today=timezone.localdate())
    }
    context = {
        "rows": [
            request_row(open_request, names.get(open_request.customer, ""))
            for open_request in page.results
        ],
        "next": page.next,
        "section": "requests",
    }
    return render(request, "console/order_requests.html", context)


def order_target(request: HttpRequest, live_id: UUID, number: str) -> orders.OrderTarget:
    """Return the order, and the staff member who changes it now."""
    return orders.OrderTarget(live_id, number, audit.author(request), timezone.now())


def _perform(request: HttpRequest, action: Callable[[], object], text: str) -> None:
    """Perform an action on an order, then show the text, or the reason for the refusal."""
    try:
        action()
    except order_requests.AlreadyAnswered as error:
        messages.error(request, answered_text(error.request))
    except tuple(ERROR_TEXTS) as error:
        messages.error(request, ERROR_TEXTS[type(error)])
    else:
        messages.success(request, text)


def find_order(customer_id: UUID, number: str) -> tuple[UUID, StaffOrder]:
    """Return the canonical customer and the order. Raises Http404."""
    live_id = find_live_id(customer_id)
    order = lists.order(live_id, number, part=None)
    if order is None:
        raise Http404
    return live_id, staff_order(order)
