"""Tables that administrators only look at, however long they grow."""

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

from customers.access.access_log import look
from customers.models import User

# Counting millions of rows takes longer than a page may; nobody turns so many pages.
MOST_COUNTED = 5_000


class Pages(Paginator):  # type: ignore[type-arg]  # generic in stubs only
    """Pages of what comes first; what lies behind is searched for."""

    @cached_property
    def count(self) -> int:
        rows = cast("QuerySet[Any]", self.object_list)
        return rows.order_by()[:MOST_COUNTED].count()


class OnlyLooked:
    """Nothing is added, changed or deleted by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnly(OnlyLooked, ModelAdmin):
    """Rows to look at, the newest first."""

    show_full_result_count = False
    paginator = Pages
    # By their own key they come from an index; any other order reads all of them.
    sortable_by: tuple[str, ...] = ()


def record_link(customer_id: UUID | None) -> str:
    """Link to the page where looking at somebody's record is noted."""
    if customer_id is None:
        return ""
    address = reverse("console:customer", args=[customer_id])
    return format_html('<a class="underline" href="{}">open</a>', address)


def note_look(
    request: HttpRequest, ids: Iterable[UUID], *, what: str, now: datetime, reason: str = ""
) -> None:
    """Write down that somebody looked at these live records by way of the administration."""
    assert isinstance(request.user, User)
    names = request.user.groups.order_by("name").values_list("name", flat=True)
    look(
        customer_ids=ids,
        actor=f"staff:{request.user.name or request.user.pk}",
        role=", ".join(names) or ("administrator" if request.user.is_superuser else "staff"),
        what=what,
        reason=reason,
        now=now,
    )
