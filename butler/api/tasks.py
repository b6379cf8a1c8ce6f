"""Endpoints of staff tasks, for programs other than the console."""

from collections.abc import Callable
from typing import Annotated, ClassVar, Literal
from uuid import UUID

import msgspec
from django.http import Http404, HttpResponse
from django.utils import timezone
from msgspec import Meta
from rest_framework.request import Request

from butler.actions import staff_tasks
from butler.models import StaffTask
from butler.queries import tasks as queries
from butler.queries.tasks import TaskShape
from customers.access.permissions import Right, request_actor, request_principal
from customers.actions.idempotency import StoredResponse
from customers.api import schema
from customers.api.base import (
    ApiView,
    encode,
    idempotent_response,
    log_request_access,
    or_404,
    page_parameters,
    page_response,
    read_body,
    shape_response,
)
from customers.api.problems import Problem


class Finish(msgspec.Struct, forbid_unknown_fields=True):
    """The outcome of a task."""

    outcome: Literal["reached", "not_reached", "dropped"]
    note: Annotated[str, Meta(max_length=2000)] = ""


def _by(request: Request) -> str:
    """Return the name of the staff member: the login, or the actor that a program names."""
    who = request_principal(request)
    return who.name if who.user else f"{who.name} {request_actor(request)}"[:100]


class TasksView(ApiView):
    """The list of tasks."""

    rights: ClassVar = {"GET": Right.READ_TASKS}

    @schema.describe(
        "List tasks, newest first",
        answer=schema.pages_of(TaskShape),
        parameters=(
            schema.query("open", schema={"type": "string", "enum": ["yes", "no"]}),
            *schema.PAGING,
        ),
        tags=("tasks",),
    )
    def get(self, request: Request) -> HttpResponse:
        cursor, limit = page_parameters(request)
        open_filter = request.GET.get("open", "yes")
        if open_filter not in ("yes", "no"):
            raise Problem(400, "invalid-query", "The parameter open must be yes or no.")
        page = queries.tasks(
            by=_by(request), is_open=open_filter == "yes", cursor=cursor, limit=limit
        )
        log_request_access(request, {task.customer for task in page.results}, what="tasks")
        return page_response(request, page)


class TaskView(ApiView):
    """One task."""

    rights: ClassVar = {"GET": Right.READ_TASKS}

    @schema.describe("Read a task", answer=schema.shape(TaskShape), tags=("tasks",))
    def get(self, request: Request, task_id: UUID) -> HttpResponse:
        shape = or_404(queries.task(task_id, by=_by(request)))
        log_request_access(request, [shape.customer], what="tasks")
        return shape_response(shape)


class _TaskActionView(ApiView):
    rights: ClassVar = {"POST": Right.CHANGE_TASKS}

    def respond(
        self, request: Request, task_id: UUID, act: Callable[[], StaffTask]
    ) -> HttpResponse:
        """Run the action and return the task; map its errors to 404 and 409."""

        def effect() -> StoredResponse:
            try:
                act()
            except staff_tasks.NoSuchTask:
                raise Http404 from None
            except staff_tasks.AlreadyTaken:
                raise Problem(409, "taken", "A colleague has this task.") from None
            except staff_tasks.AlreadyFinished:
                raise Problem(409, "finished", "This task is already finished.") from None
            shape = or_404(queries.task(task_id, by=_by(request)))
            log_request_access(request, [shape.customer], what="tasks")
            return StoredResponse(200, encode(shape))

        return idempotent_response(request, effect)


class TakeView(_TaskActionView):
    """Takes a task."""

    @schema.describe(
        "Take a task, so that no colleague takes it",
        answer=schema.shape(TaskShape),
        parameters=(schema.IDEMPOTENCY_KEY,),
        tags=("tasks",),
        problems=(409,),
    )
    def post(self, request: Request, task_id: UUID) -> HttpResponse:
        by, now = _by(request), timezone.now()
        return self.respond(
            request, task_id, lambda: staff_tasks.take(task_id=task_id, by=by, now=now)
        )


class GiveBackView(_TaskActionView):
    """Releases a task."""

    @schema.describe(
        "Give a task back",
        answer=schema.shape(TaskShape),
        parameters=(schema.IDEMPOTENCY_KEY,),
        tags=("tasks",),
        problems=(409,),
    )
    def post(self, request: Request, task_id: UUID) -> HttpResponse:
        by = _by(request)
        return self.respond(request, task_id, lambda: staff_tasks.give_back(task_id=task_id, by=by))


class FinishView(_TaskActionView):
    """Finishes a task."""

    @schema.describe(
        "Finish a task with its outcome",
        body=Finish,
        answer=schema.shape(TaskShape),
        parameters=(schema.IDEMPOTENCY_KEY,),
        tags=("tasks",),
        problems=(409,),
    )
    def post(self, request: Request, task_id: UUID) -> HttpResponse:
        body = read_body(request, Finish)
        return self.respond(
            request,
            task_id,
            lambda: staff_tasks.finish(
                task_id=task_id,
                by=_by(request),
                actor=request_actor(request),
                outcome=body.outcome,
                note=body.note,
                now=timezone.now(),
            ),
        )
