"""The acting staff member of a request, and the access log entries of the console."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from customers.access import access_log
from customers.actions.changes import ChangeAuthor
from customers.events import internal_sources
from customers.models import User

_ROLE = "_console_role"


def actor(request: HttpRequest) -> str:
    """Return the acting staff member as an actor of logs, such as `staff:sam`."""
    assert isinstance(request.user, User)
    return f"staff:{request.user.name or request.user.pk}"


def principal(request: HttpRequest) -> str:
    """Return a unique id of the acting staff member, without a name."""
    return f"user:{request.user.pk}"


def author(request: HttpRequest) -> ChangeAuthor:
    """Return the acting staff member as the author of changes; may create the source."""
    return ChangeAuthor(
        internal_sources.signed_in_sender("staff console", "console"), actor(request)
    )


def role(request: HttpRequest) -> str:
    """Return the roles of the staff member; a superuser without a role is an administrator."""
    assert isinstance(request.user, User)
    role_names: str | None = getattr(request, _ROLE, None)
    if role_names is None:
        names = request.user.groups.order_by("name").values_list("name", flat=True)
        role_names = ", ".join(names) or ("administrator" if request.user.is_superuser else "staff")
        setattr(request, _ROLE, role_names)
    return role_names


def log_console_access(
    request: HttpRequest, ids: Iterable[UUID], *, part: str, reason: str = ""
) -> None:
    """Add an access log entry to each of these records."""
    if customer_ids := list(ids):
        access_log.log_staff_access(
            customer_ids=customer_ids,
            actor=actor(request),
            role=role(request),
            what=part,
            reason=reason,
            now=timezone.now(),
        )


def log_polled_access(
    request: HttpRequest, ids: Iterable[UUID], *, part: str, reason: str, now: datetime
) -> None:
    """Add an access log entry to each of these records, once within ten minutes."""
    access_log.log_polled_access(
        customer_ids=ids,
        actor=actor(request),
        role=role(request),
        what=part,
        reason=reason,
        now=now,
    )
