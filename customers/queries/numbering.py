"""The questions whether two sources number their customers separately."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from django.db.models import F, QuerySet
from msgspec import Meta

from customers.models import NumberingQuestion
from customers.queries.pages import Page, read_page
from customers.queries.shapes import Shape

# From so many cases on, staff are asked.
MIN_CASES = 5
# The largest number of questions on one page of the console.
LIMIT = 50


class NumberedSource(Shape, frozen=True):
    id: int
    name: str


class NumberingQuestionShape(Shape, frozen=True):
    """A question whether two sources of one space number their customers separately."""

    id: int
    space: str
    sources: Annotated[tuple[NumberedSource, ...], Meta(min_length=2, max_length=2)]
    shared_mailboxes: int
    equal_numbers: int
    answer: Literal["", "separate", "same"]
    # The source that got a space of its own.
    moved: str | None
    reason: str
    answered_by: str
    answered_at: datetime | None
    created_at: datetime


def _questions_with_enough_cases() -> QuerySet[NumberingQuestion]:
    """Return the questions with enough cases. A question stays if it is answered."""
    return (
        NumberingQuestion.objects.alias(sum_of_cases=F("shared_mailboxes") + F("equal_numbers"))
        .filter(sum_of_cases__gte=MIN_CASES)
        .select_related("space", "first", "second", "moved")
    )


def open_questions() -> Sequence[NumberingQuestion]:
    """Return the first open questions, those with the most cases first."""
    cases = F("shared_mailboxes") + F("equal_numbers")
    return list(_questions_with_enough_cases().filter(answer="").order_by(-cases, "pk")[:LIMIT])


def questions(
    *, is_open: bool | None, cursor: str | None, limit: int
) -> Page[NumberingQuestionShape]:
    """Return a page of questions, newest first; `is_open` is None for all of them."""
    rows = _questions_with_enough_cases()
    if is_open is not None:
        rows = rows.filter(answer="") if is_open else rows.exclude(answer="")
    return read_page(rows, order_by={"id": int}, to_shape=to_shape, cursor=cursor, limit=limit)


def to_shape(row: NumberingQuestion) -> NumberingQuestionShape:
    """Return the question as the API shows it."""
    return NumberingQuestionShape(
        id=row.pk,
        space=row.space.name,
        sources=(
            NumberedSource(row.first.pk, row.first.name),
            NumberedSource(row.second.pk, row.second.name),
        ),
        shared_mailboxes=row.shared_mailboxes,
        equal_numbers=row.equal_numbers,
        answer=row.answer,  # type: ignore[arg-type]
        moved=row.moved.name if row.moved else None,
        reason=row.reason,
        answered_by=row.answered_by,
        answered_at=row.answered_at,
        created_at=row.created_at,
    )
