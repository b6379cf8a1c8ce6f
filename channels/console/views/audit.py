"""Leaves the trace of every look that a colleague takes."""

from collections.abc import Iterable
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from customers.access import access_log
from customers.actions.changes import ChangeAuthor
from customers.events import internal_sources
from customers.models import User

_ROLE = "_console_role"


def actor(request: HttpRequest) -> str:
    """Return who acts, as it is written on logs."""
    assert isinstance(request.user, User)
    return f"staff:{request.user.name or request.user.pk}"


def principal(request: HttpRequest) -> str:
    """Return who acts, unique and without a name: who has a task."""
    return f"user:{request.user.pk}"


def author(request: HttpRequest) -> ChangeAuthor:
    return ChangeAuthor(
        internal_sources.signed_in_sender("staff console", "console"), actor(request)
    )


def role(request: HttpRequest) -> str:
    """Return what somebody is here; who may everything without a role is an administrator."""
    assert isinstance(request.user, User)
    kept: str | None = getattr(request, _ROLE, None)
    if kept is None:
        names = request.user.groups.order_by("name").values_list("name", flat=True)
        kept = ", ".join(names) or ("administrator" if request.user.is_superuser else "staff")
        setattr(request, _ROLE, kept)
    return kept


def look(request: HttpRequest, ids: Iterable[UUID], *, what: str, reason: str = "") -> None:
    """Write down that these records were looked at."""
    if ids := list(ids):
        access_log.log_access(
            customer_ids=ids,
            actor=actor(request),
            role=role(request),
            what=what,
            reason=reason,
            now=timezone.now(),
        )
