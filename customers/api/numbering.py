"""Endpoints of the questions whether two sources number their customers separately."""

from typing import ClassVar, Literal

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from customers.access.permissions import Right, request_actor
from customers.actions import numbering
from customers.actions.idempotency import StoredResponse
from customers.api import schema
from customers.api.base import (
    ApiView,
    encode,
    idempotent_response,
    or_404,
    page_parameters,
    page_response,
    read_body,
)
from customers.api.problems import Problem
from customers.models import NumberingQuestion
from customers.queries import numbering as queries
from customers.queries.numbering import NumberingQuestionShape

_STATUSES = {"open": True, "answered": False}


class AnswerBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The answer and its reason. `source` gets a space of its own if the answer is "separate"."""

    answer: Literal["separate", "same"]
    reason: str
    source: int | None = None


class NumberingQuestionsView(ApiView):
    """The questions."""

    rights: ClassVar = {"GET": Right.READ_SOURCES}

    @schema.describe(
        "List the questions whether two sources number their customers separately, newest first",
        answer=schema.pages_of(NumberingQuestionShape),
        parameters=(
            schema.query("status", schema={"type": "string", "enum": [*_STATUSES]}),
            *schema.PAGING,
        ),
        tags=("sources",),
    )
    def get(self, request: Request) -> HttpResponse:
        cursor, limit = page_parameters(request)
        status = request.GET.get("status")
        if status is not None and status not in _STATUSES:
            raise Problem(400, "invalid-query", "status has to be open or answered.")
        is_open = _STATUSES[status] if status else None
        return page_response(
            request, queries.questions(is_open=is_open, cursor=cursor, limit=limit)
        )


class AnswerQuestionView(ApiView):
    """Answers a question."""

    rights: ClassVar = {"POST": Right.CHANGE_SOURCES}

    @schema.describe(
        "Answer whether two sources number their customers separately",
        body=AnswerBody,
        answer=schema.shape(NumberingQuestionShape),
        parameters=(schema.IDEMPOTENCY_KEY,),
        tags=("sources",),
        problems=(409,),
    )
    def post(self, request: Request, question_id: int) -> HttpResponse:
        body = read_body(request, AnswerBody)
        if not body.reason.strip():
            raise Problem(422, "invalid-body", "reason has to be a text.")

        def effect() -> StoredResponse:
            try:
                question = or_404(_answer(question_id, body, request_actor(request)))
            except numbering.QuestionAlreadyAnswered:
                raise Problem(409, "answered", "This question is already answered.") from None
            except numbering.OtherSource:
                raise Problem(
                    409, "other-source", "source has to be the id of one of the two sources."
                ) from None
            return StoredResponse(200, encode(queries.to_shape(question)))

        return idempotent_response(request, effect)


def _answer(question_id: int, body: AnswerBody, actor: str) -> NumberingQuestion | None:
    now = timezone.now()
    if body.answer == "same":
        return numbering.number_together(
            question_id=question_id, reason=body.reason, actor=actor, now=now
        )
    return numbering.number_separately(
        question_id=question_id,
        source_id=body.source or 0,
        reason=body.reason,
        actor=actor,
        now=now,
    )
