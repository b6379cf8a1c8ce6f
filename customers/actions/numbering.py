"""Stores answers of staff on whether two sources number their customers separately."""

from datetime import datetime

from django.db import transaction

from customers.actions.refiling import MAX_REASON_LENGTH
from customers.actions.source_moves import start_move
from customers.actions.sources import move_source
from customers.models import NumberingQuestion, Source, Space


class QuestionAlreadyAnswered(Exception):
    """A staff member has already answered the question."""


class OtherSource(Exception):
    """The source that has to move is not one of the two sources of the question."""


@transaction.atomic
def number_separately(
    *, question_id: int, source_id: int, reason: str, actor: str, now: datetime
) -> NumberingQuestion | None:
    """Give one of the two sources a space of its own; return the question, or None.

    A job then groups the customers of the source again (`customers.actions.source_moves`).
    Returns None if there is no such question. Raises QuestionAlreadyAnswered or OtherSource.
    """
    question = _open_question(question_id)
    if question is None:
        return None
    if source_id not in (question.first_id, question.second_id):
        raise OtherSource
    source = Source.objects.select_for_update(of=("self",)).get(pk=source_id)
    # An operator may have moved it since the question was asked.
    if source.space_id == question.space_id:
        move_source(source=source, space=_own_space(source), now=now)
        start_move(source)
    question.moved = source
    return _answer(question, NumberingQuestion.Answer.SEPARATE, reason, actor, now)


@transaction.atomic
def number_together(
    *, question_id: int, reason: str, actor: str, now: datetime
) -> NumberingQuestion | None:
    """Keep both sources in their space; return the question, or None if there is none.

    Butler does not ask again about these sources in this space. Raises QuestionAlreadyAnswered.
    """
    question = _open_question(question_id)
    return question and _answer(question, NumberingQuestion.Answer.SAME, reason, actor, now)


def _own_space(source: Source) -> Space:
    """Create a space with the name of the source, or with a number behind it if that is taken."""
    name, number = source.name, 1
    while Space.objects.filter(name__iexact=name).exists():
        number += 1
        name = f"{source.name[:90]} {number}"
    return Space.objects.create(name=name, ids_per_person=source.space.ids_per_person)


def _open_question(question_id: int) -> NumberingQuestion | None:
    question = NumberingQuestion.objects.select_for_update().filter(pk=question_id).first()
    if question and question.answer:
        raise QuestionAlreadyAnswered
    return question


def _answer(
    question: NumberingQuestion, answer: str, reason: str, actor: str, now: datetime
) -> NumberingQuestion:
    question.answer, question.reason = answer, reason.strip()[:MAX_REASON_LENGTH]
    question.answered_by, question.answered_at = actor[:100], now
    question.save()
    return question
