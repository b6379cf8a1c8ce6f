"""The base classes of administration pages whose rows belong to customers."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from customers.read_only_admin import ReadOnlyAdmin, record_link


class ChannelFilter(admin.SimpleListFilter):
    """Filters by the channels in the settings, so that the filter reads no table."""

    title = parameter_name = "channel"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(channel, channel) for channel in sorted(settings.BUTLER_ADAPTERS)]

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(channel=self.value()) if self.value() else rows


class CustomerRowsAdmin(ReadOnlyAdmin):
    """A page of rows that each belong to one customer."""

    @admin.display
    def record(self, row: Any) -> str:
        """Return HTML with a link to the console page of the record, which logs the access."""
        return record_link(row.customer_id)
