"""The console's home page: ringing calls, open tasks, stopped automations."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from butler.models import PauseSwitch
from butler.queries.tasks import count_open
from channels.console.views import access, calls
from customers.models import Review
from customers.queries.open_requests import count_orders_with_requests


@require_safe
@access.page(is_for_all=True)
def home(request: HttpRequest) -> HttpResponse:
    """Show calls, tasks, requests, reviews and pause switches, as far as the role allows."""
    user = request.user
    context: dict[str, object] = {"section": "home"}
    if user.has_perm("customers.find_customer") and user.has_perm("customers.view_interaction"):
        context["calls"] = calls.list_call_rows(request)
    if user.has_perm("butler.view_stafftask"):
        context["open_tasks"] = count_open()
    if user.has_perm("customers.change_order"):
        context["orders_with_requests"] = count_orders_with_requests()
    if user.has_perm("customers.view_review"):
        context["open_reviews"] = Review.objects.filter(status=Review.Status.OPEN).count()
    if user.has_perm("butler.view_pauseswitch"):
        context["engaged_switches"] = PauseSwitch.objects.filter(released_at=None).count()
    # A role without any of these gets a hint.
    context["is_empty"] = len(context) == 1
    return render(request, "console/home.html", context)


@require_safe
@access.page(is_for_all=True)
def shortcuts(request: HttpRequest) -> HttpResponse:
    """List the keyboard shortcuts, for browsers without scripts."""
    return render(request, "console/shortcuts.html", {"section": "shortcuts"})
