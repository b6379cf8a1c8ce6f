"""Staff tasks: taken by a staff member, given back, or finished with an outcome."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from butler.actions import staff_tasks
from butler.models import StaffTask
from butler.queries import tasks as queries
from channels.console.forms import TaskOutcomeForm, first_error
from channels.console.views import access, audit


@require_safe
@access.page("butler.view_stafftask")
def list_tasks(request: HttpRequest) -> HttpResponse:
    """List the open tasks: those of the staff member first, then by due time."""
    tasks = queries.open_tasks(by=audit.principal(request))
    audit.log_console_access(request, {task.customer for task in tasks}, part="tasks")
    context = {"tasks": tasks, "now": timezone.now(), "section": "tasks"}
    return render(request, "console/tasks.html", context)


@require_POST
@access.page("butler.change_stafftask")
def take(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Take a task, and open the customer's record."""
    now, by = timezone.now(), audit.principal(request)
    return _change_task(request, lambda: staff_tasks.take(task_id=task_id, by=by, now=now))


@require_POST
@access.page("butler.change_stafftask")
def give_back(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Release a task of the staff member, so that a colleague can take it."""
    by = audit.principal(request)
    return _change_task(request, lambda: staff_tasks.give_back(task_id=task_id, by=by))


@require_POST
@access.page("butler.change_stafftask")
def finish(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Finish a task with an outcome."""
    form = TaskOutcomeForm(request.POST)
    if not form.is_valid():
        messages.error(request, first_error(form))
        return redirect("console:tasks")
    return _change_task(
        request,
        lambda: staff_tasks.finish(
            task_id=task_id,
            by=audit.principal(request),
            actor=audit.actor(request),
            outcome=form.cleaned_data["outcome"],
            note=form.cleaned_data["note"],
            now=timezone.now(),
        ),
    )


def _change_task(request: HttpRequest, action: Callable[[], StaffTask]) -> HttpResponse:
    try:
        task = action()
    except staff_tasks.NoSuchTask:
        raise Http404 from None
    except staff_tasks.AlreadyTaken:
        messages.error(request, "A colleague has taken this task.")
        return redirect("console:tasks")
    except staff_tasks.AlreadyFinished:
        messages.error(request, "This task is already finished.")
        return redirect("console:tasks")
    if task.taken_by and not task.done_at:
        page = "addresses" if task.kind == StaffTask.Kind.ADDRESS else "customer"
        return redirect(f"console:{page}", customer_id=task.customer_id)
    return redirect("console:tasks")
