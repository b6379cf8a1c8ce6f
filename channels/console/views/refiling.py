"""Moves an event to another customer: a form, a confirmation, and the change."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from channels.console.forms import RefilingForm
from channels.console.views import access, audit, previews
from channels.console.views.live_records import customer_name
from channels.pages.presenters.events import headline
from customers.actions import refiling as actions
from customers.identity import refiling
from customers.identity.refiling import MAX_VERSION, EventPlace
from customers.models import Event, Identifier, RefiledEvent
from customers.queries import lists

_ERRORS: dict[type[Exception], str] = {
    actions.UnknownIdentifier: "No customer has this identifier.",
    actions.AmbiguousIdentifier: "Several sources use this number. Enter the e-mail or the phone of the customer.",
}


@require_http_methods(["GET", "HEAD", "POST"])
@access.page("customers.change_review")
def move_event(request: HttpRequest, customer_id: UUID, log: UUID, version: int) -> HttpResponse:
    """Ask for another customer, show it, and then file the event there."""
    live_id, event = _find_event(customer_id, EventPlace(log, version))
    audit.log_console_access(request, [live_id], part="refiling")
    form = RefilingForm(request.POST or None)
    context = _event_context(live_id, event)
    context |= {"form": form, "last_move": _last_move(EventPlace(log, version))}
    if request.method != "POST":
        return render(request, "console/refiling.html", context)
    identifier = _identifier(form)
    if identifier is None:
        return render(request, "console/refiling.html", context, status=422)
    if "confirm" not in request.POST:
        context["target"] = _target(request, identifier)
        return render(request, "console/refiling.html", context)
    moved = actions.refile_events(
        events=[(log, version)],
        identifier=identifier.pk,
        reason=form.cleaned_data["reason"],
        actor=audit.actor(request),
        now=timezone.now(),
    )
    text = "The event is moved." if moved else "The event was already there."
    messages.success(request, text)
    return redirect("console:timeline", customer_id=live_id)


@require_POST
@access.page("customers.change_review")
def undo_move(request: HttpRequest, customer_id: UUID, log: UUID, version: int) -> HttpResponse:
    """Show where an event returns to, and take its last move back when staff confirm it."""
    place = EventPlace(log, version)
    live_id, event = _find_event(customer_id, place)
    last_move = _last_move(place)
    if last_move is None:
        messages.error(request, "The event was moved back before.")
        return redirect("console:timeline", customer_id=live_id)
    if not previews.is_confirmed(request):
        return_id = refiling.previous_customer_of_event(place)
        audit.log_console_access(request, {live_id, return_id}, part="refiling")
        context = _event_context(live_id, event)
        context |= {
            "last_move": last_move,
            "return_to": {"id": return_id, "name": customer_name(return_id)},
        }
        return render(request, "console/refiling_undo.html", context)
    actions.undo_refiling(events=[(log, version)], actor=audit.actor(request), now=timezone.now())
    messages.success(request, "The event is moved back.")
    return redirect("console:timeline", customer_id=live_id)


def _properties(event: Event) -> dict[str, Any]:
    properties = event.body.get("properties")
    return properties if isinstance(properties, dict) else {}


def _event_context(live_id: UUID, event: Event) -> dict[str, Any]:
    return {
        "customer": {"id": live_id, "name": customer_name(live_id)},
        "event": event,
        "headline": headline(event.kind, event.name, _properties(event), for_staff=True),
        # The number of the order or call that the event is about.
        "about": event.about.partition(":")[2],
        "section": "search",
    }


def _last_move(place: EventPlace) -> RefiledEvent | None:
    return RefiledEvent.objects.filter(customer=place.log, version=place.version).first()


def _find_event(customer_id: UUID, place: EventPlace) -> tuple[UUID, Event]:
    """Return the live record and its event. Raise Http404 for other or unmovable events."""
    live_id = lists.live_id(customer_id)
    try:
        customer_ids = refiling.customers_of_event(place) if place.version <= MAX_VERSION else set()
    except (refiling.UnknownEvents, refiling.FixedEvents):
        raise Http404 from None
    if live_id is None or live_id not in customer_ids:
        raise Http404
    return live_id, Event.objects.get(customer_id=place.log, version=place.version)


def _identifier(form: RefilingForm) -> Identifier | None:
    """Return the identifier that the form names; add an error to the form if there is none."""
    if not form.is_valid():
        return None
    kind, value = form.cleaned_data["kind"], form.cleaned_data["value"]
    try:
        return actions.find_identifier(kind, value, region=settings.BUTLER_COUNTRY)
    except tuple(_ERRORS) as error:
        form.add_error("value", _ERRORS[type(error)])
        return None


def _target(request: HttpRequest, identifier: Identifier) -> dict[str, Any]:
    """Return the customer that the identifier leads to, and log the access to it."""
    customer_id = identifier.customer_id or identifier.record_id
    if customer_id is None:
        return {"id": None, "name": ""}
    audit.log_console_access(request, [customer_id], part="refiling")
    return {"id": customer_id, "name": customer_name(customer_id)}
