"""The administration pages of messages, deliveries and provider limits."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from butler.admin.customer_rows import ChannelFilter, CustomerRowsAdmin
from butler.models import Delivery, Message, ProviderLimit
from customers.read_only_admin import ReadOnlyAdmin


@admin.register(Message)
class MessageAdmin(CustomerRowsAdmin):
    """Shows the state of messages, but neither their text nor their address."""

    list_display = ("automation_id", "channel", "state", "reason", "created_at", "record")
    list_filter = ("state", ChannelFilter)
    search_fields = ("id__exact", "customer_id__exact")
    exclude = ("facts", "address", "subject", "text")


@admin.register(Delivery)
class DeliveryAdmin(CustomerRowsAdmin):
    """Shows the attempts to hand messages to a provider."""

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
    """Shows the state of each provider. Staff can change the rate."""

    list_display = ("channel", "rate", "failures", "cooldown_until")
    fields = ("channel", "rate", "failures", "cooldown_until")
    readonly_fields = ("channel", "failures", "cooldown_until")

    def has_change_permission(self, request: HttpRequest, row: Any = None) -> bool:
        return request.user.has_perm("butler.change_providerlimit")

    def save_model(self, request: HttpRequest, row: ProviderLimit, form: Any, change: bool) -> None:
        # Workers may have changed the other columns since the page was loaded.
        row.save(update_fields=["rate"])
