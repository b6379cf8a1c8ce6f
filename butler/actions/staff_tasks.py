"""What people are asked to do for a customer: asked once, taken by one, finished with a word."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from butler.actions import delivery_reports
from butler.messages.delivery_reports import DeliveryReport
from butler.models import StaffTask
from customers.actions import notes

# What the log says of a finished task.
DONE = "Task Done"
# What a call comes to for the message that it was to bring.
_REPORTS = {
    StaffTask.Outcome.REACHED: "delivered",
    StaffTask.Outcome.NOT_REACHED: "failed",
    StaffTask.Outcome.DROPPED: "failed",
}


class NoSuchTask(Exception):
    pass


class Taken(Exception):
    """A colleague has it."""


class Finished(Exception):
    """It was done already."""


def ask(
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
    """Ask a person to do something, once for each key; return the task."""
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
    """Take a task; raise Taken where a colleague was first. `by` is a principal's name."""
    mine = StaffTask.objects.filter(Q(taken_by="") | Q(taken_by=by), pk=task_id, done_at=None)
    if not mine.update(taken_by=by, taken_at=now):
        raise _refusal(task_id)
    return StaffTask.objects.get(pk=task_id)


def give_back(*, task_id: UUID, by: str) -> StaffTask:
    """Let somebody else take it."""
    mine = StaffTask.objects.filter(pk=task_id, taken_by=by, done_at=None)
    if not mine.update(taken_by="", taken_at=None):
        raise _refusal(task_id)
    return StaffTask.objects.get(pk=task_id)


@transaction.atomic
def finish(
    *, task_id: UUID, by: str, actor: str, outcome: str, note: str = "", now: datetime
) -> StaffTask:
    """Finish a task that one has taken, or that nobody has; the customer's log says so.

    `by` is a principal's name, `actor` is who acts as the log writes it.
    """
    mine = StaffTask.objects.filter(Q(taken_by="") | Q(taken_by=by), pk=task_id, done_at=None)
    done = {"done_at": now, "outcome": StaffTask.Outcome(outcome), "note": note}
    if not mine.update(taken_by=by, **done):
        raise _refusal(task_id)
    task = StaffTask.objects.get(pk=task_id)
    if task.message_id:
        _report(task, now)
    notes.note(
        customer_id=task.customer_id,
        name=DONE,
        about=f"task:{task.pk}",
        properties={"kind": task.kind, "title": task.title, "outcome": outcome, "note": note},
        actor=actor,
        now=now,
    )
    return task


def _report(task: StaffTask, now: datetime) -> None:
    """Tell what became of the message, as a provider does of its own."""
    said = DeliveryReport(
        event_id=f"task:{task.pk}",
        kind=_REPORTS[StaffTask.Outcome(task.outcome)],
        occurred_at=now,
        provider_id=str(task.pk),
        message_id=str(task.message_id),
        detail=task.outcome,
    )
    delivery_reports.report(provider="staff", channel="phone", reports=[said], now=now)


def _refusal(task_id: UUID) -> Exception:
    task = StaffTask.objects.filter(pk=task_id).first()
    if task is None:
        return NoSuchTask()
    return Finished() if task.done_at else Taken()
