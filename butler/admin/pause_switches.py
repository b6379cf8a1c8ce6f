"""The administration page on which staff engage and release pause switches."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from butler.actions import pause_switches
from butler.actions.pause_switches import EVERYTHING, UnknownAutomation
from butler.admin.operators import operator_name
from butler.models import PauseSwitch
from customers.read_only_admin import ReadOnlyAdmin


@admin.register(PauseSwitch)
class PauseSwitchAdmin(ReadOnlyAdmin):
    """Lists the pause switches, each with the staff member who engaged it and the reason."""

    list_display = ("key", "engaged_at", "engaged_by", "reason", "released_at", "released_by")
    list_filter = (("released_at", admin.EmptyFieldListFilter),)
    ordering = ("-engaged_at",)
    list_before_template = "butler/switches.html"

    def get_urls(self) -> list[URLPattern]:
        view = require_POST(self.admin_site.admin_view(self.switch))
        return [path("switch/", view, name="butler_pauseswitch_switch"), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Add the pause switch of all automations to the page, if it is engaged."""
        switch = PauseSwitch.objects.filter(key=EVERYTHING, released_at=None).first()
        context = {"switch_key": EVERYTHING, "switch": switch}
        return super().changelist_view(request, context | (extra_context or {}))

    def switch(self, request: HttpRequest) -> HttpResponse:
        """Engage a pause switch, or release it."""
        key, is_released = request.POST.get("key", ""), request.POST.get("do") == "release"
        if not request.user.has_perm(
            "butler.change_pauseswitch" if is_released else "butler.add_pauseswitch"
        ):
            raise PermissionDenied
        message, level = _release(request, key) if is_released else _engage(request, key)
        self.message_user(request, message, level)
        return HttpResponseRedirect(reverse("admin:butler_pauseswitch_changelist"))


def _engage(request: HttpRequest, key: str) -> tuple[str, int]:
    reason = request.POST.get("reason", "").strip()
    if not reason:
        return "Enter the reason.", messages.ERROR
    try:
        withdrawn = pause_switches.engage_switch(
            key=key, by=operator_name(request), reason=reason, now=timezone.now()
        )
    except UnknownAutomation as error:
        return str(error), messages.ERROR
    return f"Stopped. Butler withdrew {withdrawn} messages.", messages.SUCCESS


def _release(request: HttpRequest, key: str) -> tuple[str, int]:
    if pause_switches.release_switch(key=key, by=operator_name(request), now=timezone.now()):
        return "The switch is released. New events start runs again.", messages.SUCCESS
    return "The switch was not engaged.", messages.ERROR
