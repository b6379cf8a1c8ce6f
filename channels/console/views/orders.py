"""Orders that staff enter and change: checked, shown with their price, then saved once."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from channels.console.order_form import FormError, OrderInput
from channels.console.presenters.customer import CustomerPage, customer_page
from channels.console.presenters.orders import StaffOrder, staff_order
from channels.console.views import access, audit
from channels.pages.money import format_money
from customers.actions import idempotency, orders
from customers.actions.changes import RejectedChange, UnreachableRecord
from customers.actions.idempotency import StoredResponse
from customers.queries import lists
from customers.queries.record import record

# Why an order cannot be saved, in words for staff who talk to the customer.
ERROR_TEXTS: dict[type[Exception], str] = {
    orders.NoSuchOrder: "There is no such order any more.",
    orders.NoSuchLine: "That line is not in the order any more.",
    orders.OrderClosed: "This order was cancelled or refunded.",
    orders.UnverifiedOrder: "Nobody has confirmed this order yet.",
    orders.NoPendingRequest: "Somebody settled what they asked for already.",
    orders.OrderNumberInUse: "There is another order with this number.",
    UnreachableRecord: "Nothing proved leads to this customer: let them prove an address first.",
    RejectedChange: "The record did not take it.",
}


@require_http_methods(["GET", "HEAD", "POST"])
@access.page("customers.change_order")
def new(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Enter an order: check it, show what it costs, and only then place it."""
    today = timezone.localdate()
    if request.method != "POST":
        return _form(request, customer_id, OrderInput.empty(today))
    order = OrderInput.posted(request.POST.dict(), today)
    if order.errors or "place" not in request.POST:
        return _form(request, customer_id, order, is_checked=_is_checked(request, order))
    live_id = _live_id(customer_id)

    def place() -> StoredResponse:
        placed = orders.place_order(
            customer_id=live_id,
            author=audit.author(request),
            number="",
            order=order.statement(),
            now=timezone.now(),
        )
        return StoredResponse(201, msgspec.json.encode(placed.number))

    return _save_once(request, live_id, order, place, "The order is placed.")


@require_http_methods(["GET", "HEAD", "POST"])
@access.page("customers.change_order")
def change(request: HttpRequest, customer_id: UUID, number: str) -> HttpResponse:
    """Change an order; the difference is shown before it is saved."""
    today = timezone.localdate()
    live_id, before = _order(customer_id, number)
    if not before.is_open:
        return _closed(request, live_id, before)
    if request.method != "POST":
        return _form(request, live_id, OrderInput.of_order(before, today), before=before)
    order = OrderInput.posted(request.POST.dict(), today)
    if order.errors or "place" not in request.POST:
        is_checked = _is_checked(request, order)
        return _form(request, live_id, order, before=before, is_checked=is_checked)

    def amend() -> StoredResponse:
        target = orders.OrderTarget(live_id, number, audit.author(request), timezone.now())
        orders.amend_order(target=target, change=order.statement())
        return StoredResponse(200, msgspec.json.encode(number))

    return _save_once(request, live_id, order, amend, "The order is changed.", before=before)


@require_POST
@access.page("customers.change_order")
def cancel(request: HttpRequest, customer_id: UUID, number: str) -> HttpResponse:
    """Cancel a whole order."""
    live_id, _ = _order(customer_id, number)
    target = orders.OrderTarget(live_id, number, audit.author(request), timezone.now())
    reason = request.POST.get("reason", "")[:200].replace("\x00", "")
    try:
        orders.cancel_order(target=target, reason=reason)
    except tuple(ERROR_TEXTS) as error:
        messages.error(request, ERROR_TEXTS[type(error)])
    else:
        messages.success(request, f"Order {number} is cancelled.")
    return redirect("console:customer", customer_id=live_id)


@require_POST
@access.page("customers.change_order")
def confirm(request: HttpRequest, customer_id: UUID, number: str) -> HttpResponse:
    """Place the order, or make the change, that the customer requested."""
    live_id, before = _order(customer_id, number)
    target = orders.OrderTarget(live_id, number, audit.author(request), timezone.now())
    outcome = "is placed" if before.is_requested else "is changed"
    return _answer_request(
        request, live_id, lambda: orders.confirm_request(target=target), f"{number} {outcome}."
    )


@require_POST
@access.page("customers.change_order")
def decline(request: HttpRequest, customer_id: UUID, number: str) -> HttpResponse:
    """Decline what the customer requested."""
    live_id, _ = _order(customer_id, number)
    target = orders.OrderTarget(live_id, number, audit.author(request), timezone.now())
    text = f"What they asked about {number} is declined."
    return _answer_request(request, live_id, lambda: orders.decline_request(target=target), text)


def _answer_request(
    request: HttpRequest, live_id: UUID, action: Callable[[], object], text: str
) -> HttpResponse:
    try:
        action()
    except tuple(ERROR_TEXTS) as error:
        messages.error(request, ERROR_TEXTS[type(error)])
    else:
        messages.success(request, text)
    return redirect("console:customer", customer_id=live_id)


@require_POST
@access.page("customers.change_order")
def cancel_line(request: HttpRequest, customer_id: UUID, number: str, line: str) -> HttpResponse:
    """Cancel one line of an order."""
    live_id, _ = _order(customer_id, number)
    target = orders.OrderTarget(live_id, number, audit.author(request), timezone.now())
    try:
        orders.cancel_order_line(target=target, line=line)
    except tuple(ERROR_TEXTS) as error:
        messages.error(request, ERROR_TEXTS[type(error)])
    else:
        messages.success(request, "That line is out of the order.")
    return redirect("console:order", customer_id=live_id, number=number)


def _save_once(
    request: HttpRequest,
    live_id: UUID,
    order: OrderInput,
    effect: Callable[[], StoredResponse],
    text: str,
    **context: Any,
) -> HttpResponse:
    """Save once for each form that was opened, however often its button is pressed."""
    key = request.POST.get("key", "")[:100]
    if not key.isalnum():
        return _form(request, live_id, order, **context)
    try:
        answer = idempotency.run_once(
            principal=audit.principal(request),
            key=f"console-{key}",
            request=msgspec.json.encode([request.path, order.statement()]),
            now=timezone.now(),
            retention=timedelta(days=settings.BUTLER_IDEMPOTENCY_DAYS),
            effect=effect,
        )
    except tuple(ERROR_TEXTS) as error:
        order.save_errors = [FormError(ERROR_TEXTS[type(error)])]
        return _form(request, live_id, order, status=409, **context)
    if answer.state == "other_content":
        order.save_errors = [
            FormError("This form was sent before with something else in it. Look at the record.")
        ]
        return _form(request, live_id, order, status=409, **context)
    # A second press saves nothing more, and shows the same record.
    messages.success(request, text)
    return redirect("console:customer", customer_id=live_id)


def _closed(request: HttpRequest, live_id: UUID, before: StaffOrder) -> HttpResponse:
    """Show that the order cannot be changed, also to a change that came too late."""
    status = 200
    if request.method == "POST":
        messages.error(request, ERROR_TEXTS[orders.OrderClosed])
        status = 409
    context = {"customer": _customer(request, live_id), "before": before, "section": "search"}
    return render(request, "console/order_closed.html", context, status=status)


def _is_checked(request: HttpRequest, order: OrderInput) -> bool:
    """Return whether to ask for confirmation, and not to let the form be edited."""
    return not order.errors and "back" not in request.POST


def _form(
    request: HttpRequest,
    customer_id: UUID,
    order: OrderInput,
    *,
    before: StaffOrder | None = None,
    is_checked: bool = False,
    status: int = 0,
) -> HttpResponse:
    context = {
        "customer": _customer(request, customer_id),
        "form": order.form,
        "lines": order.lines.filled if is_checked else order.lines.forms,
        "errors": order.errors,
        "before": before,
        "is_checked": is_checked,
        "total": _total_text(order, before) if is_checked else "",
        "today": timezone.localdate().isoformat(),
        "key": request.POST.get("key") or secrets.token_hex(8),
        "section": "search",
    }
    status = status or (422 if order.errors else 200)
    return render(request, "console/order_form.html", context, status=status)


def _customer(request: HttpRequest, customer_id: UUID) -> CustomerPage:
    now = timezone.now()
    today = timezone.localdate(now)
    shape = record(customer_id, today=today)
    if shape is None:
        raise Http404
    if request.method != "POST":
        audit.log_console_access(request, [shape.id], part="order")
    return customer_page(shape, None, now=now, today=today)


def _total_text(order: OrderInput, before: StaffOrder | None) -> str:
    """Return what the order would cost; lines that a change does not name keep their price."""
    total, currency = order.total, str(order.form.cleaned_data["currency"])
    if before is not None:
        named = {line.cleaned_data["id"] for line in order.lines.filled}
        replaced = (
            line.amount for line in before.lines if line.id in named and not line.is_removed
        )
        total += before.amount - sum(replaced, Decimal("0.00"))
    return format_money(str(total), currency)


def _order(customer_id: UUID, number: str) -> tuple[UUID, StaffOrder]:
    live_id = _live_id(customer_id)
    order = lists.order(live_id, number)
    if order is None:
        raise Http404
    return live_id, staff_order(order)


def _live_id(customer_id: UUID) -> UUID:
    live_id = lists.live_id(customer_id)
    if live_id is None:
        raise Http404
    return live_id
