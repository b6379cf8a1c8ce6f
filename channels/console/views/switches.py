"""What is stopped, by whom and why; and the switches to stop it and to let it go on."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from butler.actions import automations
from butler.models import Automation, Halt
from channels.console.views import access, trace

EVERYTHING = "*"


@require_safe
@access.page("butler.view_halt")
def listing(request: HttpRequest) -> HttpResponse:
    """List what is stopped now."""
    shown = {
        "halts": Halt.objects.filter(lifted_at=None).order_by("-thrown_at")[:100],
        "keys": Automation.objects.order_by("key").values_list("key", flat=True),
        "here": "switches",
    }
    return render(request, "console/switches.html", shown)


@require_POST
@access.page("butler.add_halt")
def throw(request: HttpRequest) -> HttpResponse:
    """Stop one automation, or all of them."""
    key = request.POST.get("key", "")
    reason = request.POST.get("reason", "").replace("\x00", "").strip()[:200]
    if key != EVERYTHING and not Automation.objects.filter(key=key).exists():
        messages.error(request, "There is no such automation.")
    elif not reason:
        messages.error(request, "Say why: customers and colleagues read it.")
    else:
        automations.throw_switch(
            key=key, by=trace.actor(request), reason=reason, now=timezone.now()
        )
        messages.success(request, "Stopped." if key != EVERYTHING else "Everything is stopped.")
    return redirect("console:switches")


@require_POST
@access.page("butler.change_halt")
def lift(request: HttpRequest) -> HttpResponse:
    """Let it go on."""
    key = request.POST.get("key", "")[:64]
    automations.lift_switch(key=key, by=trace.actor(request), now=timezone.now())
    messages.success(request, "It goes on.")
    return redirect("console:switches")
