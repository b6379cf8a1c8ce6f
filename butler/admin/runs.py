"""The administration pages of runs and of decisions."""

from django.contrib import admin

from butler.admin.customer_rows import CustomerRowsAdmin
from butler.models import Decision, Run


@admin.register(Run)
class RunAdmin(CustomerRowsAdmin):
    """Shows the runs of automations."""

    list_display = ("automation_id", "status", "step", "reason", "created_at", "ended_at", "record")
    list_filter = ("status", "automation")
    search_fields = ("id__exact", "customer_id__exact")
    exclude = ("cause",)


@admin.register(Decision)
class DecisionAdmin(CustomerRowsAdmin):
    """Shows the decisions, with the gate of every check."""

    list_display = ("automation_id", "stage", "outcome", "code", "decided_at", "record")
    list_filter = ("outcome",)
    search_fields = ("id__exact", "customer_id__exact", "run_id__exact")
