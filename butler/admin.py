"""The administrator's tables of what Butler does by itself.

Versions are looked at here, approved, taken into use and stopped; what they say comes from
files. Messages, decisions and runs are only looked at, and without the words that were said.
"""

from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from uuid_utils.compat import uuid7

from butler.actions import automation_versions, pause_switches
from butler.actions.automation_versions import InvalidTransition, Operator
from butler.actions.pause_switches import EVERYTHING, UnknownAutomation
from butler.automations import sample_customers
from butler.automations.previews import difference, render_previews
from butler.automations.run_context import read_run_contexts
from butler.document import Document
from butler.messages.render import render
from butler.messages.templating import MissingValues
from butler.models import (
    Automation,
    AutomationVersion,
    Decision,
    Delivery,
    Message,
    PauseSwitch,
    ProviderLimit,
    Run,
    TopicStatus,
)
from butler.queries.automations import IN_USE_FIRST, display_name
from customers.read_only_admin import ReadOnlyAdmin, log_admin_access, record_link

# The transitions of a version by its status, each with the label of its button.
_TRANSITIONS = {
    "draft": (("approve", "Approve"), ("retire", "Retire")),
    "approved": (("go_live", "Go live"), ("retire", "Retire")),
    "live": (("pause", "Pause"), ("retire", "Retire")),
    "paused": (("resume", "Resume"), ("retire", "Retire")),
    "retired": (("go_live", "Go live again"),),
}
_TRANSITION_ACTIONS = {
    "approve": automation_versions.approve,
    "go_live": automation_versions.go_live,
    "pause": automation_versions.pause,
    "resume": automation_versions.resume,
    "retire": automation_versions.retire,
}


class _PreviewRun(NamedTuple):
    """An invented run of a record to try texts on."""

    id: UUID
    customer_id: UUID
    cause: dict[str, Any]


class ChannelFilter(admin.SimpleListFilter):
    """Filters by the channels of the settings, so that no table has to be read."""

    title = parameter_name = "channel"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(channel, channel) for channel in sorted(settings.BUTLER_ADAPTERS)]

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(channel=self.value()) if self.value() else rows


class CustomerRowsAdmin(ReadOnlyAdmin):
    """Rows that each belong to one customer."""

    @admin.display
    def record(self, row: Any) -> str:
        return record_link(row.customer_id)


@admin.register(Automation)
class AutomationAdmin(ReadOnlyAdmin):
    """What Butler does by itself."""

    list_display = ("key", "name", "in_use", "is_stopped", "created_at")
    ordering = ("key",)
    search_fields = ("key",)
    change_form_outer_before_template = "butler/automation.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Automation]:
        """Read names, versions and switches with the rows, and not once for each."""
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
        return automation.shown_name or ""

    @admin.display(description="version in use")
    def in_use(self, automation: Any) -> str:
        number = automation.used_number
        return f"v{number} {automation.used_status}" if number else "none"

    # In a word: a red cross for what runs as it should would be read as its opposite.
    @admin.display(description="switch")
    def is_stopped(self, automation: Any) -> str:
        return "stopped" if automation.has_engaged_switch else ""

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        switch = PauseSwitch.objects.filter(key=object_id, released_at=None).first()
        versions = AutomationVersion.objects.filter(automation=object_id).order_by("-number")
        context = {"versions": versions, "switch_key": object_id, "switch": switch}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))


@admin.register(AutomationVersion)
class AutomationVersionAdmin(ReadOnlyAdmin):
    """One version: what it would say, how it differs from the one in use, and what is next."""

    list_display = ("automation_id", "number", "status", "loaded_by", "approved_by", "live_at")
    list_filter = ("status", "trigger")
    search_fields = ("automation__key",)
    ordering = ("automation_id", "-number")
    exclude = ("document", "loaded_by_login", "approved_by_login")
    change_form_outer_before_template = "butler/version.html"

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                "<int:pk>/step/",
                require_POST(self.admin_site.admin_view(self.change_status)),
                name="butler_automationversion_step",
            ),
            path(
                "<int:pk>/mail/<str:place>/<slug:language>/",
                self.admin_site.admin_view(self.mail),
                name="butler_automationversion_mail",
            ),
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        version = self.get_object(request, object_id)
        context = self._template_context(request, version) if version else {}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def _template_context(self, request: HttpRequest, version: AutomationVersion) -> dict[str, Any]:
        document = msgspec.convert(version.document, Document)
        used = AutomationVersion.objects.filter(
            automation=version.automation_id, status__in=("live", "paused")
        )
        other = used.exclude(pk=version.pk).first()
        return {
            "steps": _TRANSITIONS[version.status] if self._may_change_status(request) else (),
            "other": other,
            "difference": difference(other.document, version.document) if other else (),
            "previews": list(render_previews(document, self._record(request))),
            "record": request.GET.get("record", ""),
        }

    def _record(self, request: HttpRequest) -> dict[str, Any] | None:
        """Return the values of the record to try texts on, if any; write the access to the log."""
        if not request.GET.get("record") or not request.user.has_perm("customers.view_customer"):
            return None
        now = timezone.now()
        try:
            run = _PreviewRun(uuid7(), UUID(request.GET["record"]), {})
        except ValueError:
            context = None
        else:
            context = read_run_contexts([run], now=now).get(run.id)
        if context is None:
            self.message_user(request, "There is no such record.", messages.ERROR)
            return None
        log_admin_access(
            request, [run.customer_id], what="preview", reason="to try a text", now=now
        )
        return context.values

    def _may_change_status(self, request: HttpRequest) -> bool:
        return request.user.has_perm("butler.change_automationversion")

    def change_status(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take a version to another status."""
        action = _TRANSITION_ACTIONS.get(request.POST.get("step", ""))
        if not self._may_change_status(request):
            raise PermissionDenied
        version = get_object_or_404(AutomationVersion, pk=pk)
        if action is None:
            raise Http404
        try:
            version = action(version, Operator(_name(request), request.user.pk), timezone.now())
        except InvalidTransition as refused:
            self.message_user(request, str(refused), messages.ERROR)
        else:
            notice = f"{version} is {version.status}."
            self.log_change(request, version, notice)
            self.message_user(request, notice, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:butler_automationversion_change", args=[pk]))

    def mail(self, request: HttpRequest, pk: int, place: str, language: str) -> HttpResponse:
        """Show a text as mail, by itself, in a page that can do nothing."""
        version = get_object_or_404(AutomationVersion, pk=pk)
        if not self.has_view_permission(request, version):
            raise PermissionDenied
        document = msgspec.convert(version.document, Document)
        try:
            context = sample_customers.full(document)
            message = render(document, place, "email", context, sample_customers.LINKS, language)
        except (LookupError, ValueError, MissingValues):
            raise Http404 from None
        return HttpResponse(message.html, headers={"Content-Security-Policy": _MAIL_POLICY})


# Mail has its styles inline, and no business with anything else.
_MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src https:"


@admin.register(PauseSwitch)
class PauseSwitchAdmin(ReadOnlyAdmin):
    """The switches: what was stopped, by whom and why."""

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
        switch = PauseSwitch.objects.filter(key=EVERYTHING, released_at=None).first()
        context = {"switch_key": EVERYTHING, "switch": switch}
        return super().changelist_view(request, context | (extra_context or {}))

    def switch(self, request: HttpRequest) -> HttpResponse:
        """Throw a switch, or lift it."""
        key, is_released = request.POST.get("key", ""), request.POST.get("do") == "lift"
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
        return "Say why, for whoever asks later.", messages.ERROR
    try:
        withdrawn = pause_switches.engage_switch(
            key=key, by=_name(request), reason=reason, now=timezone.now()
        )
    except UnknownAutomation as error:
        return str(error), messages.ERROR
    return f"Stopped. {withdrawn} messages were taken back.", messages.SUCCESS


def _release(request: HttpRequest, key: str) -> tuple[str, int]:
    if pause_switches.release_switch(key=key, by=_name(request), now=timezone.now()):
        return "It goes on, with what happens from now on.", messages.SUCCESS
    return "It was not stopped.", messages.ERROR


def _name(request: HttpRequest) -> str:
    return str(getattr(request.user, "name", "") or request.user)[:100]


@admin.register(Run)
class RunAdmin(CustomerRowsAdmin):
    """Automations at work."""

    list_display = ("automation_id", "status", "step", "reason", "created_at", "ended_at", "record")
    list_filter = ("status", "automation")
    search_fields = ("id__exact", "customer_id__exact")
    exclude = ("cause",)


@admin.register(Message)
class MessageAdmin(CustomerRowsAdmin):
    """What was said or is to be: its fate, not its words or where it went."""

    list_display = ("automation_id", "channel", "state", "reason", "created_at", "record")
    list_filter = ("state", ChannelFilter)
    search_fields = ("id__exact", "customer_id__exact")
    exclude = ("facts", "address", "subject", "text")


@admin.register(Delivery)
class DeliveryAdmin(CustomerRowsAdmin):
    """Attempts to hand messages over."""

    list_display = (
        "channel",
        "provider",
        "outcome",
        "code",
        "claimed_at",
        "latency_ms",
        "record",
    )
    list_filter = ("outcome", ChannelFilter)
    search_fields = ("id__exact", "customer_id__exact", "message__id__exact")
    raw_id_fields = ("message",)
    exclude = ("detail",)


@admin.register(ProviderLimit)
class ProviderLimitAdmin(ReadOnlyAdmin):
    """How each way out does; how fast it may go is set here."""

    list_display = ("channel", "rate", "failures", "cooldown_until")
    fields = ("channel", "rate", "failures", "cooldown_until")
    readonly_fields = ("channel", "failures", "cooldown_until")

    def has_change_permission(self, request: HttpRequest, row: Any = None) -> bool:
        return request.user.has_perm("butler.change_providerlimit")

    def save_model(self, request: HttpRequest, row: ProviderLimit, form: Any, change: bool) -> None:
        # The rest of the row goes on changing while somebody looks at it.
        row.save(update_fields=["rate"])


@admin.register(Decision)
class DecisionAdmin(CustomerRowsAdmin):
    """What was decided, with every gate that was asked."""

    list_display = ("automation_id", "stage", "outcome", "code", "decided_at", "record")
    list_filter = ("outcome",)
    search_fields = ("id__exact", "customer_id__exact", "run_id__exact")


@admin.register(TopicStatus)
class TopicStatusAdmin(ReadOnlyAdmin):
    """How rides, shows and the like are; set through the API."""

    list_display = ("key", "status", "serial", "changed_at")
    search_fields = ("key",)
