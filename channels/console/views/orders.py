"""The pages on which staff enter and change orders.

A page checks the order, shows it with its price, and then saves it once.
"""

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
from django.views.decorators.http import require_http_methods

from channels.console.order_form import FormError, OrderInput
from channels.console.presenters.customer import CustomerPage, customer_page
from channels.console.presenters.orders import StaffOrder
from channels.console.views import access, audit
from channels.console.views.live_records import find_live_id
from channels.console.views.order_actions import (
    ERROR_TEXTS,
    find_order,
    order_target,
)
from channels.pages.money import format_money
from customers.actions import idempotency, orders
from customers.actions.idempotency import StoredResponse
from customers.queries.record import read_record


@require_http_methods(["GET", "HEAD", "POST"])
@access.page("customers.change_order")
def new(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Enter an order: check it, show its price, and place it after a confirmation."""
    today = timezone.localdate()
    if request.method != "POST":
        return _form(request, customer_id, OrderInput.empty(today))
    order = OrderInput.posted(request.POST.dict(), today)
    if order.errors or "place" not in request.POST:
        return _form(request, customer_id, order, is_checked=_is_checked(request, order))
    live_id = find_live_id(customer_id)

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
    """Change an order: show the change first, and save it after a confirmation."""
    today = timezone.localdate()
    live_id, before = find_order(customer_id, number)
    if not before.is_open:
        return _closed(request, live_id, before)
    if request.method != "POST":
        return _form(request, live_id, OrderInput.of_order(before, today), before=before)
    order = OrderInput.posted(request.POST.dict(), today)
    if order.errors or "place" not in request.POST:
        is_checked = _is_checked(request, order)
        return _form(request, live_id, order, before=before, is_checked=is_checked)

    def amend() -> StoredResponse:
        target = order_target(request, live_id, number)
        orders.amend_order(target=target, change=order.statement())
        return StoredResponse(200, msgspec.json.encode(number))

    return _save_once(request, live_id, order, amend, "The order is changed.", before=before)


def _save_once(
    request: HttpRequest,
    live_id: UUID,
    order: OrderInput,
    effect: Callable[[], StoredResponse],
    success: str,
    **context: Any,
) -> HttpResponse:
    """Save the form once, even if its button is pressed several times."""
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
        return _refused(request, live_id, order, ERROR_TEXTS[type(error)], **context)
    if answer.state == "other_content":
        text = "This form was sent before with other content. Check the record."
        return _refused(request, live_id, order, text, **context)
    # A repeated request does not save the order again, and shows the same record.
    messages.success(request, success)
    return redirect("console:customer", customer_id=live_id)


def _refused(
    request: HttpRequest, live_id: UUID, order: OrderInput, text: str, **context: Any
) -> HttpResponse:
    """Show the form again with the reason why it was not saved."""
    order.save_errors = [FormError(text)]
    return _form(request, live_id, order, status=409, **context)


def _closed(request: HttpRequest, live_id: UUID, before: StaffOrder) -> HttpResponse:
    """Show that the order cannot be changed; a submitted change gets 409."""
    status = 200
    if request.method == "POST":
        messages.error(request, ERROR_TEXTS[orders.OrderClosed])
        status = 409
    context = {"customer": _customer(request, live_id), "before": before, "section": "search"}
    return render(request, "console/order_closed.html", context, status=status)


def _is_checked(request: HttpRequest, order: OrderInput) -> bool:
    """Return whether to show the confirmation instead of the form."""
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
    shape = read_record(customer_id, today=today, part=None)
    if shape is None:
        raise Http404
    audit.log_console_access(request, [shape.id], part="order")
    return customer_page(shape, None, now=now, today=today)


def _total_text(order: OrderInput, before: StaffOrder | None) -> str:
    """Return the new price of the order; lines that a change does not name keep their price."""
    total, currency = order.total, str(order.form.cleaned_data["currency"])
    if before is not None:
        named = {line.cleaned_data["id"] for line in order.lines.filled}
        replaced = (
            line.amount for line in before.lines if line.id in named and not line.is_removed
        )
        total += before.amount - sum(replaced, Decimal("0.00"))
    return format_money(str(total), currency)
