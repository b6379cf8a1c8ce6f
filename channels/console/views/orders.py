"""Orders taken and changed by phone: checked, shown with their price, and then done once."""

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

from channels.console import order_form
from channels.console.order_form import Form, Wrong
from channels.console.presenters.customer import Order, Person, order, person
from channels.console.views import access, audit
from channels.pages.presenters.events import money
from customers.actions import idempotency, orders
from customers.actions.changes import RejectedChange, UnreachableRecord
from customers.actions.idempotency import StoredResponse
from customers.queries import lists
from customers.queries.record import record

# What can be in the way, in words for who has the customer on the phone.
REFUSED: dict[type[Exception], str] = {
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
    """Take an order down: check it, show what it costs, and only then place it."""
    if request.method != "POST":
        return _form(request, customer_id, Form(lines=[order_form.Line(quantity="1")]))
    form = order_form.read(request.POST.dict(), timezone.localdate())
    if form.wrong or "place" not in request.POST:
        return _form(request, customer_id, form, is_checked=_is_checked(request, form))
    live = _live(customer_id)

    def place() -> StoredResponse:
        placed = orders.place_order(
            customer_id=live,
            author=audit.author(request),
            number="",
            order=order_form.statement(form),
            now=timezone.now(),
        )
        return StoredResponse(201, msgspec.json.encode(placed.number))

    return _once(request, live, form, place, "The order is placed.")


@require_http_methods(["GET", "HEAD", "POST"])
@access.page("customers.change_order")
def change(request: HttpRequest, customer_id: UUID, number: str) -> HttpResponse:
    """Change an order; the difference is shown before it is done."""
    live, before = _order(customer_id, number)
    if not before.is_open:
        return _closed(request, live, before)
    if request.method != "POST":
        return _form(request, live, _filled(before), before=before)
    form = order_form.read(request.POST.dict(), timezone.localdate())
    if form.wrong or "place" not in request.POST:
        return _form(request, live, form, before=before, is_checked=_is_checked(request, form))

    def amend() -> StoredResponse:
        aim = orders.OrderTarget(live, number, audit.author(request), timezone.now())
        orders.amend_order(target=aim, change=order_form.statement(form))
        return StoredResponse(200, msgspec.json.encode(number))

    return _once(request, live, form, amend, "The order is changed.", before=before)


@require_POST
@access.page("customers.change_order")
def cancel(request: HttpRequest, customer_id: UUID, number: str) -> HttpResponse:
    """Cancel an order, whole."""
    live, _ = _order(customer_id, number)
    aim = orders.OrderTarget(live, number, audit.author(request), timezone.now())
    reason = request.POST.get("reason", "")[:200].replace("\x00", "")
    try:
        orders.cancel_order(target=aim, reason=reason)
    except tuple(REFUSED) as error:
        messages.error(request, REFUSED[type(error)])
    else:
        messages.success(request, f"Order {number} is cancelled.")
    return redirect("console:customer", customer_id=live)


@require_POST
@access.page("customers.change_order")
def confirm(request: HttpRequest, customer_id: UUID, number: str) -> HttpResponse:
    """Place the order that the customer requested, or do what she asked to change."""
    live, before = _order(customer_id, number)
    aim = orders.OrderTarget(live, number, audit.author(request), timezone.now())
    done = "is placed" if before.is_requested else "is changed"
    return _settled(request, live, lambda: orders.confirm_request(target=aim), f"{number} {done}.")


@require_POST
@access.page("customers.change_order")
def decline(request: HttpRequest, customer_id: UUID, number: str) -> HttpResponse:
    """Decline what the customer requested."""
    live, _ = _order(customer_id, number)
    aim = orders.OrderTarget(live, number, audit.author(request), timezone.now())
    declined = f"What they asked about {number} is declined."
    return _settled(request, live, lambda: orders.decline_request(target=aim), declined)


def _settled(
    request: HttpRequest, live: UUID, settle: Callable[[], object], words: str
) -> HttpResponse:
    try:
        settle()
    except tuple(REFUSED) as error:
        messages.error(request, REFUSED[type(error)])
    else:
        messages.success(request, words)
    return redirect("console:customer", customer_id=live)


@require_POST
@access.page("customers.change_order")
def cancel_line(request: HttpRequest, customer_id: UUID, number: str, line: str) -> HttpResponse:
    """Take one line out of an order."""
    live, _ = _order(customer_id, number)
    aim = orders.OrderTarget(live, number, audit.author(request), timezone.now())
    try:
        orders.cancel_order_line(target=aim, line=line)
    except tuple(REFUSED) as error:
        messages.error(request, REFUSED[type(error)])
    else:
        messages.success(request, "That line is out of the order.")
    return redirect("console:order", customer_id=live, number=number)


def _once(
    request: HttpRequest,
    live: UUID,
    form: Form,
    effect: Callable[[], StoredResponse],
    words: str,
    **shown: Any,
) -> HttpResponse:
    """Do it once for each form that was opened, however often its button is pressed."""
    key = request.POST.get("key", "")[:100]
    if not key.isalnum():
        return _form(request, live, form, **shown)
    try:
        done = idempotency.run_once(
            principal=audit.principal(request),
            key=f"console-{key}",
            request=msgspec.json.encode([request.path, order_form.statement(form)]),
            now=timezone.now(),
            retention=timedelta(days=settings.BUTLER_IDEMPOTENCY_DAYS),
            effect=effect,
        )
    except tuple(REFUSED) as error:
        form.wrong = [Wrong(REFUSED[type(error)])]
        return _form(request, live, form, status=409, **shown)
    if done.state == "other_content":
        form.wrong = [
            Wrong("This form was sent before with something else in it. Look at the record.")
        ]
        return _form(request, live, form, status=409, **shown)
    # Pressed twice it was done once, and the record shows it either way.
    messages.success(request, words)
    return redirect("console:customer", customer_id=live)


def _closed(request: HttpRequest, live: UUID, before: Order) -> HttpResponse:
    """Say that nothing can be done with it; to a change that came too late, too."""
    status = 200
    if request.method == "POST":
        messages.error(request, REFUSED[orders.OrderClosed])
        status = 409
    shown = {"person": _person(request, live), "before": before, "here": "search"}
    return render(request, "console/order_closed.html", shown, status=status)


def _is_checked(request: HttpRequest, form: Form) -> bool:
    """Tell whether to ask for the last word on it, or to let it be written on."""
    return not form.wrong and "back" not in request.POST


def _form(
    request: HttpRequest,
    customer_id: UUID,
    form: Form,
    *,
    before: Order | None = None,
    is_checked: bool = False,
    status: int = 0,
) -> HttpResponse:
    spare = 0 if is_checked else max(order_form.SPARE, order_form.SHOWN - len(form.lines))
    lines = form.lines + [order_form.Line() for _ in range(spare)]
    shown = {
        "person": _person(request, customer_id),
        "form": form,
        "lines": [(f"line{number}", line) for number, line in enumerate(lines)],
        "bad": {one.field for one in form.wrong},
        "before": before,
        "is_checked": is_checked,
        "total": money(str(_total(form, before)), form.currency),
        "today": timezone.localdate().isoformat(),
        "key": request.POST.get("key") or secrets.token_hex(8),
        "here": "search",
    }
    status = status or (422 if form.wrong else 200)
    return render(request, "console/order_form.html", shown, status=status)


def _person(request: HttpRequest, customer_id: UUID) -> Person:
    now = timezone.now()
    found = record(customer_id, today=timezone.localdate(now))
    if found is None:
        raise Http404
    if request.method != "POST":
        audit.look(request, [found.id], what="order")
    return person(found, None, now=now, today=timezone.localdate(now))


def _total(form: Form, before: Order | None) -> Decimal:
    """Return what it costs then: of a change, what it cost, and what becomes different."""
    if before is None:
        return form.total
    named = {line.id for line in form.lines}
    replaced = (one.amount for one in before.lines if one.id in named and not one.is_gone)
    return before.amount + form.total - sum(replaced, Decimal("0.00"))


def _filled(before: Order) -> Form:
    return Form(
        name=before.name,
        visit_date=before.visit_date.isoformat() if before.visit_date else "",
        visit_time=before.visit_time.strftime("%H:%M") if before.visit_time else "",
        guests=", ".join(before.guests),
        currency=before.currency or "EUR",
        lines=[
            order_form.Line(line.id, line.name, str(line.quantity), line.price)
            for line in before.lines
            if not line.is_gone
        ],
    )


def _order(customer_id: UUID, number: str) -> tuple[UUID, Order]:
    live = _live(customer_id)
    found = lists.order(live, number)
    if found is None:
        raise Http404
    return live, order(found)


def _live(customer_id: UUID) -> UUID:
    live = lists.live_id(customer_id)
    if live is None:
        raise Http404
    return live
