"""Where a colleague begins: what rings, what is to be done, what was stopped."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from butler.models import PauseSwitch
from butler.queries.tasks import count_open
from channels.console.views import access, calls
from customers.models import Review


@require_safe
@access.page(is_for_all=True)
def home(request: HttpRequest) -> HttpResponse:
    """Show each colleague what their role is about."""
    user = request.user
    shown: dict[str, object] = {"here": "home"}
    if user.has_perm("customers.find_customer") and user.has_perm("customers.view_interaction"):
        shown["calls"] = calls.shown(timezone.now())
    if user.has_perm("butler.view_stafftask"):
        shown["open_tasks"] = count_open()
    if user.has_perm("customers.view_review"):
        shown["open_reviews"] = Review.objects.filter(status=Review.Status.OPEN).count()
    if user.has_perm("butler.view_pauseswitch"):
        shown["halts"] = PauseSwitch.objects.filter(released_at=None).count()
    # Nothing of all that is theirs: say what is.
    shown["is_all"] = len(shown) == 1
    return render(request, "console/home.html", shown)


@require_safe
@access.page(is_for_all=True)
def keys(request: HttpRequest) -> HttpResponse:
    """List the keys, for who has no script to show them on top of a page."""
    return render(request, "console/shortcuts.html", {"here": "keys"})
