"""Creates, assigns and finishes staff tasks."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from butler.actions import delivery_reports
from butler.messages.delivery_reports import DeliveryReport
from butler.models import StaffTask
from customers.actions import internal_events

# The event that a finished task appends to the log.
DONE_EVENT = "Task Done"
# The delivery report of the message that the task replaced, by outcome.
_REPORT_KINDS = {
    StaffTask.Outcome.REACHED: "delivered",
    StaffTask.Outcome.NOT_REACHED: "failed",
    StaffTask.Outcome.DROPPED: "failed",
}


class NoSuchTask(Exception):
    """There is no task with this id."""


class AlreadyTaken(Exception):
    """A colleague has taken the task."""


class AlreadyFinished(Exception):
    """The task is already finished."""


def create(
    *,
    key: str,
    kind: str,
    customer_id: UUID,
    title: str,
    body: str,
    due_at: datetime,
    automation_id: str = "",
    message_id: UUID | None = None,
) -> UUID:
    """Create a task unless a task with this key exists; return the id of the task."""
    task = StaffTask(
        key=key,
        kind=kind,
        customer_id=customer_id,
        title=title[:200],
        body=body,
        due_at=due_at,
        automation_id=automation_id,
        message_id=message_id,
    )
    StaffTask.objects.bulk_create([task], ignore_conflicts=True)
    return StaffTask.objects.values_list("pk", flat=True).get(key=key)


def take(*, task_id: UUID, by: str, now: datetime) -> StaffTask:
    """Assign a task to `by`, the name of a principal, and return it.

    Raises NoSuchTask, AlreadyTaken or AlreadyFinished.
    """
    own = StaffTask.objects.filter(Q(taken_by="") | Q(taken_by=by), pk=task_id, done_at=None)
    if not own.update(taken_by=by, taken_at=now):
        raise _refusal(task_id)
    return StaffTask.objects.get(pk=task_id)


def give_back(*, task_id: UUID, by: str) -> StaffTask:
    """Release a task of `by`, so that a colleague can take it; return the task."""
    own = StaffTask.objects.filter(pk=task_id, taken_by=by, done_at=None)
    if not own.update(taken_by="", taken_at=None):
        raise _refusal(task_id)
    return StaffTask.objects.get(pk=task_id)


@transaction.atomic
def finish(
    *, task_id: UUID, by: str, actor: str, outcome: str, note: str = "", now: datetime
) -> StaffTask:
    """Finish a free task or a task of `by`; append an event to the customer's log.

    `by` is a principal's name, `actor` is the actor of the event.
    """
    own = StaffTask.objects.filter(Q(taken_by="") | Q(taken_by=by), pk=task_id, done_at=None)
    outcome_columns = {"done_at": now, "outcome": StaffTask.Outcome(outcome), "note": note}
    if not own.update(taken_by=by, **outcome_columns):
        raise _refusal(task_id)
    task = StaffTask.objects.get(pk=task_id)
    if task.message_id:
        _record_report(task, now)
    _append_done_event(task, actor, now)
    return task


def _append_done_event(task: StaffTask, actor: str, now: datetime) -> None:
    internal_events.append_internal_event(
        customer_id=task.customer_id,
        name=DONE_EVENT,
        about=f"task:{task.pk}",
        properties={
            "kind": task.kind,
            "title": task.title,
            "outcome": task.outcome,
            "note": task.note,
        },
        actor=actor,
        now=now,
    )


def _record_report(task: StaffTask, now: datetime) -> None:
    """Record a delivery report for the message that the task replaced."""
    report = DeliveryReport(
        event_id=f"task:{task.pk}",
        kind=_REPORT_KINDS[StaffTask.Outcome(task.outcome)],
        occurred_at=now,
        provider_id=str(task.pk),
        message_id=str(task.message_id),
        detail=task.outcome,
    )
    delivery_reports.store_reports(provider="staff", channel="phone", reports=[report], now=now)


def _refusal(task_id: UUID) -> Exception:
    task = StaffTask.objects.filter(pk=task_id).first()
    if task is None:
        return NoSuchTask()
    return AlreadyFinished() if task.done_at else AlreadyTaken()
