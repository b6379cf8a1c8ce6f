"""The page of the sources: with whom they share numbers, and what is wrong with their events.

It also asks whether two sources number their customers separately.
"""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from channels.console.forms import NumberingForm, first_error
from channels.console.presenters.sources import move_rows, question_rows, source_rows
from channels.console.views import access, audit
from customers.actions import numbering
from customers.models import NumberingQuestion
from customers.queries.numbering import open_questions
from customers.queries.sources import LIMIT, WARNING_DAYS, recent_moves, source_summaries


@require_safe
@access.page("customers.view_source")
def list_sources(request: HttpRequest) -> HttpResponse:
    """List the sources with their settings and warnings."""
    summaries = source_summaries(timezone.localdate())
    context = {
        "sources": source_rows(summaries),
        "moves": move_rows(recent_moves(timezone.now())),
        "questions": question_rows(open_questions()),
        "may_answer": request.user.has_perm("customers.change_numberingquestion"),
        "days": WARNING_DAYS,
        "limit": LIMIT,
        "section": "sources",
    }
    return render(request, "console/sources.html", context)


@require_POST
@access.page("customers.change_numberingquestion")
def answer_question(request: HttpRequest, question_id: int) -> HttpResponse:
    """Answer whether two sources number their customers separately."""
    form = NumberingForm(request.POST)
    if not form.is_valid():
        messages.error(request, first_error(form))
        return redirect("console:sources")
    fields = {
        "question_id": question_id,
        "reason": form.cleaned_data["reason"],
        "actor": audit.actor(request),
        "now": timezone.now(),
    }
    try:
        if form.cleaned_data["answer"] == "same":
            question = numbering.number_together(**fields)
        else:
            source_id = form.cleaned_data["source"] or 0
            question = numbering.number_separately(source_id=source_id, **fields)
    except numbering.QuestionAlreadyAnswered:
        messages.error(request, "A colleague has already answered the question.")
    except numbering.OtherSource:
        messages.error(request, "The source is missing. Choose the source that gets its own space.")
    else:
        if question is None:
            raise Http404
        messages.success(request, _answered_text(question))
    return redirect("console:sources")


def _answered_text(question: NumberingQuestion) -> str:
    if question.moved is None:
        return "Both sources stay in one space."
    source, space = question.moved.name, question.moved.space.name
    return (
        f"The source {source} has the space {space} now. New events follow it at once. Butler groups"
        " the customers until now again; this page shows how far it is."
    )
