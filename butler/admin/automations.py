"""The administration pages of automations."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse

from butler.actions.pause_switches import EVERYTHING
from butler.models import Automation, AutomationVersion, PauseSwitch
from butler.queries.automations import IN_USE_FIRST, display_name
from customers.read_only_admin import ReadOnlyAdmin


@admin.register(Automation)
class AutomationAdmin(ReadOnlyAdmin):
    """Lists the automations, each with its version in use and its pause switch."""

    list_display = ("key", "name", "in_use", "is_stopped", "created_at")
    ordering = ("key",)
    search_fields = ("key",)
    change_form_outer_before_template = "butler/automation.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Automation]:
        """Read names, versions and switches in the same query as the rows."""
        versions = AutomationVersion.objects.filter(automation=OuterRef("pk"))
        used = versions.filter(status__in=("live", "paused"))
        engaged = PauseSwitch.objects.filter(
            Q(key=OuterRef("pk")) | Q(key=EVERYTHING), released_at=None
        )
        return (
            super()
            .get_queryset(request)
            .annotate(
                shown_name=Subquery(
                    versions.order_by(*IN_USE_FIRST).values(name=display_name("en"))[:1]
                ),
                used_number=Subquery(used.values("number")[:1]),
                used_status=Subquery(used.values("status")[:1]),
                has_engaged_switch=Exists(engaged),
            )
        )

    @admin.display
    def name(self, automation: Any) -> str:
        """Return the English name, or else the key, of the version in use or the newest version."""
        return automation.shown_name or ""

    @admin.display(description="version in use")
    def in_use(self, automation: Any) -> str:
        """Return the number and status of the version in use, such as "v3 live"; else "none"."""
        number = automation.used_number
        return f"v{number} {automation.used_status}" if number else "none"

    # A word, because the red cross of a boolean would look like an error.
    @admin.display(description="switch")
    def is_stopped(self, automation: Any) -> str:
        """Return "stopped" if the switch of this automation or of all is engaged; else empty."""
        return "stopped" if automation.has_engaged_switch else ""

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Add the versions, newest first, and the engaged switch of this automation to the page."""
        switch = PauseSwitch.objects.filter(key=object_id, released_at=None).first()
        versions = AutomationVersion.objects.filter(automation=object_id).order_by("-number")
        context = {"versions": versions, "switch_key": object_id, "switch": switch}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))
