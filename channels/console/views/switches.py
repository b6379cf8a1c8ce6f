"""The page of the pause switches, which stop and resume automations."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from butler.actions import pause_switches
from butler.actions.pause_switches import EVERYTHING, UnknownAutomation
from butler.models import PauseSwitch
from butler.queries.automations import names
from channels.console.forms import ResumeAutomationForm, StopAutomationForm, first_error
from channels.console.presenters import labels
from channels.console.views import access, audit


@require_safe
@access.page("butler.view_pauseswitch")
def list_switches(request: HttpRequest) -> HttpResponse:
    """List the stopped and the running automations."""
    names_by_key = {EVERYTHING: "All automations", **names("en")}
    engaged_switches = [
        _switch_row(pause_switch, names_by_key)
        for pause_switch in PauseSwitch.objects.filter(released_at=None).order_by(
            "-engaged_at", "-id"
        )[:100]
    ]
    stopped = {pause_switch["key"] for pause_switch in engaged_switches}
    running = [(key, name) for key, name in names_by_key.items() if key not in stopped]
    # The switch for everything comes last.
    running.sort(key=lambda automation: (automation[0] == EVERYTHING, automation[1].casefold()))
    context = {
        "engaged_switches": engaged_switches,
        "running": running,
        "everything": EVERYTHING,
        "section": "switches",
    }
    return render(request, "console/switches.html", context)


def _switch_row(pause_switch: PauseSwitch, names_by_key: dict[str, str]) -> dict[str, Any]:
    return {
        "key": pause_switch.key,
        "name": names_by_key.get(pause_switch.key, pause_switch.key),
        "by": labels.actor_name(pause_switch.engaged_by) or pause_switch.engaged_by,
        "at": pause_switch.engaged_at,
        "reason": pause_switch.reason,
    }


@require_POST
@access.page("butler.add_pauseswitch")
def engage(request: HttpRequest) -> HttpResponse:
    """Stop one automation, or all of them."""
    form = StopAutomationForm(request.POST)
    if not form.is_valid():
        messages.error(request, first_error(form))
        return redirect("console:switches")
    key = form.cleaned_data["key"]
    try:
        withdrawn = pause_switches.engage_switch(
            key=key,
            by=audit.actor(request),
            reason=form.cleaned_data["reason"],
            now=timezone.now(),
        )
    except UnknownAutomation:
        messages.error(request, "This automation does not exist.")
    else:
        messages.success(request, _stopped_text(key, withdrawn))
    return redirect("console:switches")


def _stopped_text(key: str, withdrawn: int) -> str:
    status = "All automations are stopped." if key == EVERYTHING else "The automation is stopped."
    if not withdrawn:
        return f"{status} No message was waiting."
    return f"{status} {withdrawn} {'message was' if withdrawn == 1 else 'messages were'} withdrawn."


@require_POST
@access.page("butler.change_pauseswitch")
def release(request: HttpRequest) -> HttpResponse:
    """Resume one automation, or all of them."""
    form = ResumeAutomationForm(request.POST)
    key = form.cleaned_data["key"] if form.is_valid() else ""
    if pause_switches.release_switch(key=key, by=audit.actor(request), now=timezone.now()):
        messages.success(request, "Resumed. New events start runs again.")
    else:
        messages.error(request, "A colleague has already resumed it.")
    return redirect("console:switches")
