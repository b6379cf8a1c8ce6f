"""What is stopped, by whom and why; and the switches to stop it and to let it go on."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from butler.actions import automations
from butler.actions.automations import EVERYTHING, InvalidTransition
from butler.models import PauseSwitch
from butler.queries.automations import names
from channels.console.presenters import events
from channels.console.views import access, audit


@require_safe
@access.page("butler.view_pauseswitch")
def listing(request: HttpRequest) -> HttpResponse:
    """List what is stopped now."""
    called = {EVERYTHING: "Everything", **names("en")}
    halts = [
        _shown(halt, called)
        for halt in PauseSwitch.objects.filter(released_at=None).order_by("-engaged_at", "-id")[
            :100
        ]
    ]
    stopped = {halt["key"] for halt in halts}
    going = [(key, name) for key, name in called.items() if key not in stopped]
    # The largest switch is not the one that is at hand first.
    going.sort(key=lambda one: (one[0] == EVERYTHING, one[1].casefold()))
    shown = {"halts": halts, "going": going, "everything": EVERYTHING, "here": "switches"}
    return render(request, "console/switches.html", shown)


def _shown(halt: PauseSwitch, called: dict[str, str]) -> dict[str, Any]:
    return {
        "key": halt.key,
        "name": called.get(halt.key, halt.key),
        "by": events.actor(halt.engaged_by) or halt.engaged_by,
        "at": halt.engaged_at,
        "reason": halt.reason,
    }


@require_POST
@access.page("butler.add_pauseswitch")
def throw(request: HttpRequest) -> HttpResponse:
    """Stop one automation, or all of them."""
    key = request.POST.get("key", "")
    reason = request.POST.get("reason", "").replace("\x00", "").strip()[:200]
    if not reason:
        messages.error(request, "Say why: colleagues read it.")
        return redirect("console:switches")
    try:
        taken = automations.engage_switch(
            key=key, by=audit.actor(request), reason=reason, now=timezone.now()
        )
    except InvalidTransition:
        messages.error(request, "There is no such automation.")
    else:
        messages.success(request, _stopped(key, taken))
    return redirect("console:switches")


def _stopped(key: str, taken: int) -> str:
    what = "Everything is stopped." if key == EVERYTHING else "Stopped."
    if not taken:
        return f"{what} No message was waiting."
    return f"{what} {taken} {'message was' if taken == 1 else 'messages were'} taken back."


@require_POST
@access.page("butler.change_pauseswitch")
def lift(request: HttpRequest) -> HttpResponse:
    """Let it go on."""
    key = request.POST.get("key", "")[:64]
    if automations.release_switch(key=key, by=audit.actor(request), now=timezone.now()):
        messages.success(request, "It goes on, with what happens from now on.")
    else:
        messages.error(request, "It was not stopped any more.")
    return redirect("console:switches")
