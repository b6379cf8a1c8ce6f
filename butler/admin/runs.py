"""The runs of automations, and their decisions."""

from django.contrib import admin

from butler.admin.customer_rows import CustomerRowsAdmin
from butler.models import Decision, Run


@admin.register(Run)
class RunAdmin(CustomerRowsAdmin):
    """Automations at work."""

    list_display = ("automation_id", "status", "step", "reason", "created_at", "ended_at", "record")
    list_filter = ("status", "automation")
    search_fields = ("id__exact", "customer_id__exact")
    exclude = ("cause",)


@admin.register(Decision)
class DecisionAdmin(CustomerRowsAdmin):
    """What was decided, with every gate that was asked."""

    list_display = ("automation_id", "stage", "outcome", "code", "decided_at", "record")
    list_filter = ("outcome",)
    search_fields = ("id__exact", "customer_id__exact", "run_id__exact")
