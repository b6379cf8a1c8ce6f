"""Base classes of admin pages that only show rows, even of very large tables."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from unfold.admin import ModelAdmin

from customers.access import access_log
from customers.models import User

# Counting millions of rows would make a page slow, so pages count at most this many rows.
MAX_COUNT = 5_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # generic in stubs only
    """Pages through the first MAX_COUNT rows; administrators search for the rest."""

    @cached_property
    def count(self) -> int:
        """The number of rows, at most MAX_COUNT."""
        rows = cast("QuerySet[Any]", self.object_list)
        return rows.order_by()[:MAX_COUNT].count()


class ReadOnlyAdminMixin:
    """Refuses to add, change and delete rows."""

    def has_add_permission(self, request: HttpRequest, row: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, row: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, row: Any = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnlyAdminMixin, ModelAdmin):
    """Shows rows, the newest first."""

    show_full_result_count = False
    paginator = CappedPaginator
    # The index of the primary key gives this order. Any other order would read the whole table.
    sortable_by: tuple[str, ...] = ()


def record_link(customer_id: UUID | None) -> str:
    """Return HTML with a link to the page of a record, which logs the access; empty for None."""
    if customer_id is None:
        return ""
    address = reverse("console:customer", args=[customer_id])
    return format_html('<a class="underline" href="{}">open</a>', address)


def log_admin_access(
    request: HttpRequest, ids: Iterable[UUID], *, what: str, now: datetime, reason: str = ""
) -> None:
    """Log that the signed-in user read these live records in the administration."""
    assert isinstance(request.user, User)
    names = request.user.groups.order_by("name").values_list("name", flat=True)
    access_log.log_staff_access(
        customer_ids=ids,
        actor=f"staff:{request.user.name or request.user.pk}",
        role=", ".join(names) or ("administrator" if request.user.is_superuser else "staff"),
        what=what,
        reason=reason,
        now=now,
    )
