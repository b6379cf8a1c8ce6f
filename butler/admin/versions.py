"""The administration pages of versions: their texts, and their transitions to live."""

from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from uuid_utils.compat import uuid7

from butler.actions import automation_versions
from butler.actions.automation_versions import InvalidTransition, Operator
from butler.admin.operators import operator_name
from butler.automations import sample_customers
from butler.automations.previews import difference, render_previews
from butler.automations.run_context import read_run_contexts
from butler.document import AutomationDocument
from butler.messages.render import render
from butler.messages.templating import MissingValues
from butler.models import AutomationVersion
from customers.read_only_admin import ReadOnlyAdmin, log_admin_access

# The transitions of a version by its status, each with the label of its button.
TRANSITIONS = {
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
    """A run that does not exist, to render texts for a record."""

    id: UUID
    customer_id: UUID
    cause: dict[str, Any]


@admin.register(AutomationVersion)
class AutomationVersionAdmin(ReadOnlyAdmin):
    """Shows a version: its texts, its difference from the version in use, its transitions."""

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
        """Add the transitions, the difference from the version in use, and previews to the page.

        `?record=<id>` fills the previews with the values of this record, and logs the access.
        """
        version = self.get_object(request, object_id)
        context = self._template_context(request, version) if version else {}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def _template_context(self, request: HttpRequest, version: AutomationVersion) -> dict[str, Any]:
        document = msgspec.convert(version.document, AutomationDocument)
        used = AutomationVersion.objects.filter(
            automation=version.automation_id, status__in=("live", "paused")
        )
        other = used.exclude(pk=version.pk).first()
        return {
            "steps": TRANSITIONS[version.status] if self._may_change_status(request) else (),
            "other": other,
            "difference": difference(other.document, version.document) if other else (),
            "previews": list(render_previews(document, self._record(request))),
            "record": request.GET.get("record", ""),
        }

    def _record(self, request: HttpRequest) -> dict[str, Any] | None:
        """Return the values of the requested record, or None; write the access to the access log."""
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
        """Change the status of a version."""
        action = _TRANSITION_ACTIONS.get(request.POST.get("step", ""))
        if not self._may_change_status(request):
            raise PermissionDenied
        version = get_object_or_404(AutomationVersion, pk=pk)
        if action is None:
            raise Http404
        try:
            version = action(
                version, Operator(operator_name(request), request.user.pk), timezone.now()
            )
        except InvalidTransition as refused:
            self.message_user(request, str(refused), messages.ERROR)
        else:
            notice = f"{version} is {version.status}."
            self.log_change(request, version, notice)
            self.message_user(request, notice, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:butler_automationversion_change", args=[pk]))

    def mail(self, request: HttpRequest, pk: int, place: str, language: str) -> HttpResponse:
        """Return a text as an e-mail page, with a policy that forbids scripts and requests."""
        version = get_object_or_404(AutomationVersion, pk=pk)
        if not self.has_view_permission(request, version):
            raise PermissionDenied
        document = msgspec.convert(version.document, AutomationDocument)
        try:
            context = sample_customers.full(document)
            message = render(document, place, "email", context, sample_customers.LINKS, language)
        except (LookupError, ValueError, MissingValues):
            raise Http404 from None
        return HttpResponse(message.html, headers={"Content-Security-Policy": _MAIL_POLICY})


# E-mail has inline styles and HTTPS images; everything else is forbidden.
_MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src https:"
