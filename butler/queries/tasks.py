"""The staff tasks."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec
from django.db.models import Q
from django.db.models.functions import Coalesce

from butler.models import StaffTask
from customers.models import Customer, Trait, User
from customers.queries.pages import Page, read_page


class TaskShape(msgspec.Struct, frozen=True):
    """One task. `taken_by` is the display name of the staff member who has taken it."""

    id: UUID
    kind: str
    customer: UUID
    customer_name: str
    title: str
    body: str
    due_at: datetime
    automation: str
    message: UUID | None
    taken_by: str
    is_mine: bool
    taken_at: datetime | None
    done_at: datetime | None
    outcome: str
    note: str


def open_tasks(*, by: str, limit: int = 100) -> list[TaskShape]:
    """Return open tasks: the tasks of `by` first, then by due time."""
    rows = StaffTask.objects.filter(done_at=None).alias(is_anothers=~Q(taken_by=by))
    return _shapes(rows.order_by("is_anothers", "due_at", "id")[:limit], by)


def tasks(*, by: str, is_open: bool, cursor: str | None, limit: int) -> Page[TaskShape]:
    """Return tasks, the newest first."""
    rows = StaffTask.objects.filter(done_at__isnull=is_open)
    page = read_page(
        rows, order_by={"id": UUID}, to_shape=lambda row: row, cursor=cursor, limit=limit
    )
    return Page(_shapes(page.results, by), page.next, page.previous)


def tasks_of(customer_id: UUID, *, by: str, limit: int = 20) -> list[TaskShape]:
    """Return the open tasks of a live record and of the records merged into it."""
    record_ids = Customer.objects.filter(canonical_id=customer_id).values_list("id", flat=True)
    rows = StaffTask.objects.filter(customer_id__in=[customer_id, *record_ids], done_at=None)
    return _shapes(rows.order_by("due_at", "id")[:limit], by)


def task(task_id: UUID, *, by: str) -> TaskShape | None:
    """Return a task, or None; `by` is the name of the reading staff member."""
    return next(iter(_shapes(StaffTask.objects.filter(pk=task_id), by)), None)


def count_open() -> int:
    """Return the number of open tasks."""
    return StaffTask.objects.filter(done_at=None).count()


def _shapes(rows: Iterable[StaffTask], by: str) -> list[TaskShape]:
    rows = list(rows)
    live = _live({row.customer_id for row in rows})
    names = _names(set(live.values()))
    display_names = _display_names({row.taken_by for row in rows})
    shapes = []
    for row in rows:
        customer_id = live.get(row.customer_id, row.customer_id)
        taken_by = display_names.get(row.taken_by, row.taken_by)
        is_mine = row.taken_by == by
        shapes.append(_shape(row, customer_id, names.get(customer_id, ""), taken_by, is_mine))
    return shapes


def _shape(
    row: StaffTask, customer_id: UUID, customer_name: str, taken_by: str, is_mine: bool
) -> TaskShape:
    return TaskShape(
        id=row.pk,
        kind=row.kind,
        customer=customer_id,
        customer_name=customer_name,
        title=row.title,
        body=row.body,
        due_at=row.due_at,
        automation=row.automation_id,
        message=row.message_id,
        taken_by=taken_by,
        is_mine=is_mine,
        taken_at=row.taken_at,
        done_at=row.done_at,
        outcome=row.outcome,
        note=row.note,
    )


def _live(ids: set[UUID]) -> dict[UUID, UUID]:
    live = Coalesce("canonical_id", "id")
    return dict(Customer.objects.filter(pk__in=ids).values_list("id", live))


def _names(ids: set[UUID]) -> dict[UUID, str]:
    names = ("name", "first_name", "last_name")
    traits = Trait.objects.filter(customer_id__in=ids, name__in=names)
    parts_by_id: dict[UUID, dict[str, str]] = {}
    for id_, name, value in traits.values_list("customer_id", "name", "value"):
        if isinstance(value, str):
            parts_by_id.setdefault(id_, {})[name] = value
    return {
        id_: parts.get("name")
        or " ".join(filter(None, (parts.get("first_name"), parts.get("last_name"))))
        for id_, parts in parts_by_id.items()
    }


def _display_names(names: set[str]) -> dict[str, str]:
    ids = [name.removeprefix("user:") for name in names if name.startswith("user:")]
    # isdigit() alone also accepts superscripts; no key has more digits than its column.
    numbers = [int(id_) for id_ in ids if id_.isascii() and id_.isdigit() and len(id_) < 10]
    users = User.objects.filter(pk__in=numbers)
    return {f"user:{user.pk}": user.name or f"#{user.pk}" for user in users}
